import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const document = read("docs/security-events.md");
const port = read("packages/core/src/ports/security-events.ts");

/** The first two cells of each row, where the first is one word of code. */
const rows = [...document.matchAll(/^\| `(\w+)` \| (?:`(\w+)`)?/gm)].map(([, first, second]) => ({ first, second }));

it("the document about security events has the code of the example, to the letter", () => {
  const blocks = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);
  expect(blocks).toHaveLength(1);
  expect(read("examples/testing/test/security-events.test.ts")).toContain(blocks[0]);
});

it("the document about security events has each of them, and each reason of a failure and a refusal", () => {
  const declared = [...port.matchAll(/extends Circumstances \{\n\s+readonly type: "(\w+)";([\s\S]*?)\n\}/g)];
  const reasons = declared
    .filter(([, type]) => type === "failure" || type === "refusal")
    .flatMap(([, type, body = ""]) => [...body.matchAll(/"(\w+)"/g)].map(([, reason]) => `${type} ${reason}`));
  expect(declared).toHaveLength(7);
  expect(reasons).toHaveLength(11);
  const types = new Set(declared.map(([, type]) => type));
  const described = rows.filter(({ first, second }) => types.has(first) && second === undefined);
  expect(described.map(({ first }) => first)).toEqual([...types]);
  expect(rows.flatMap(({ first, second }) => (second === undefined ? [] : [`${first} ${second}`]))).toEqual(reasons);
});

it("the document about security events has each field that they share", () => {
  const shared = /interface Circumstances \{([\s\S]*?)\n\}/.exec(port)?.[1] ?? "";
  const fields = [...shared.matchAll(/readonly (\w+)\?:/g)].map(([, field]) => field);
  expect(fields).toContain("tokenId");
  expect(rows.map(({ first }) => first).filter((first) => fields.includes(first))).toEqual(fields);
});
