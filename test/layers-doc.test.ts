import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const examples = new URL("../examples/layers/src/", import.meta.url);
const document = readFileSync(new URL("../docs/layers.md", import.meta.url), "utf8");
const blocks = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);

describe("the document about channel layers", () => {
  it.each(readdirSync(examples))("has the example %s to the letter", (file) => {
    expect(blocks).toContain(readFileSync(new URL(file, examples), "utf8"));
  });

  it("has no other examples", () => {
    expect(blocks).toHaveLength(readdirSync(examples).length);
  });
});
