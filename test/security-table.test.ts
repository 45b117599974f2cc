import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { testNames } from "./test-names.js";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

/** The items of a section, from its first to its last. */
const section = (number: string, last: number): string[] =>
  Array.from({ length: last }, (_, index) => `${number}.${index + 1}`);

const items = [
  ...section("4.4", 4),
  ...section("7.2", 4),
  ...section("7.3", 2),
  ...section("7.4", 5),
  ...section("7.5", 3),
  ...section("9.1", 3),
  ...section("9.2", 4),
  ...section("16.2", 5),
  ...section("16.3", 4),
  // RFC 8725.
  ...section("3", 12),
];

const row = /^\| (\d[\d.]*) \| (\S.*?) \| (\S.*) \|$/gm;
const rows = [...readFileSync(at("SECURITY.md"), "utf8").matchAll(row)].map(
  ([, item = "", asked = "", answer = ""]) => ({ item, asked, answer }),
);

/** What is wrong with an answer; it is one or several `path: name`, or says what is not held, or both. */
function faultsOf(answer: string): string[] {
  const named = [...answer.matchAll(/`([^`:]+\.ts): (.+?)`/g)];
  const rest = named.reduce((words, [test]) => words.replace(test, ""), answer).replaceAll("<br>", "");
  return [
    ...named.flatMap(([, path = "", name = ""]) => {
      if (!existsSync(at(path))) return [`there is no ${path}`];
      return testNames(readFileSync(at(path), "utf8")).includes(name) ? [] : [`no test of ${path} is "${name}"`];
    }),
    ...(named.length === 0 && rest === "" ? ["neither a test nor a reason"] : []),
    ...(rest === "" || /^not held: \w+/.test(rest) ? [] : [`expected "not held: …", got "${rest}"`]),
  ];
}

describe("the tables in SECURITY.md", () => {
  it("have each item once, in order", () => {
    expect(rows.map(({ item }) => item)).toEqual(items);
  });

  it.each(rows)("$item: $asked", ({ answer }) => {
    expect(faultsOf(answer)).toEqual([]);
  });

  it.each([
    ["a name that no test has", "`test/readme.test.ts: no such test`"],
    ["a test without its group", "`test/readme.test.ts: answers HTTP`"],
    ["a file that is not there", "`test/no-such.test.ts: answers HTTP`"],
    [
      "a good name and a bad one",
      "`test/readme.test.ts: the application in the README > running > answers HTTP`<br>`x`",
    ],
    ["no reason", "not held: "],
    ["something else", "yes"],
  ])("could not say %s", (_, answer) => {
    expect(faultsOf(answer)).toHaveLength(1);
  });
});
