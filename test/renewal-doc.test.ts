import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

it("the document about renewals has the consumer of the example, to the letter", () => {
  const blocks = [...read("docs/renewal.md").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);
  expect(blocks).toHaveLength(1);
  expect(read("examples/testing/src/renewal.test.ts")).toContain(blocks[0]);
});
