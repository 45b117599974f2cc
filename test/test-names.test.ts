import { expect, it } from "vitest";
import { testNames } from "./test-names.js";

it("names of tests are found with their groups, as they stand in the source", () => {
  const source = `
    // "ü", of two bytes, comes before what is counted in bytes: it("in a comment", () => {});
    const text = 'it("in a text", () => {})';
    it("alone", () => {});
    describe("a group", () => {
      test.each([[1, "it"]])("takes %s", () => { void it.name; });
      describe.each(["x"])("%s", () => { it.skipIf(true)("may be skipped", async () => {}); });
      for (const name of ["a"]) it(\`says \${name ?? "é"} as it is\`, () => { describe.name; });
    });
    export function contract(name: string): void { describe(\`\${name} as a store\`, () => { test('keeps "it"', () => {}); }); }
    describePostgres(() => { describeOwnRedis("of one's own", () => { it("is there", () => {}); }); });
    it.skip("skipped", () => {});
    describe.skip("all skipped", () => { it("in vain", () => {}); });
    it.todo("to do");
    iterate("nothing");
  `;
  expect(testNames(source)).toEqual([
    "alone",
    "a group > takes %s",
    "a group > %s > may be skipped",
    `a group > says \${name ?? "é"} as it is`,
    `\${name} as a store > keeps "it"`,
    "of one's own > is there",
  ]);
});
