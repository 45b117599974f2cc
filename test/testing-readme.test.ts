import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const examples = new URL("../examples/testing/src/", import.meta.url);
const readme = readFileSync(new URL("../packages/testing/README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);

describe("the README of the testing kit", () => {
  it.each(readdirSync(examples))("has the example %s to the letter", (file) => {
    expect(blocks).toContain(readFileSync(new URL(file, examples), "utf8"));
  });

  it("has no other examples", () => {
    expect(blocks).toHaveLength(readdirSync(examples).length);
  });
});
