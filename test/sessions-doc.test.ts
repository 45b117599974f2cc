import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const examples = new URL("../examples/sessions/src/", import.meta.url);
const document = readFileSync(new URL("../docs/sessions.md", import.meta.url), "utf8");
const blocks = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);

describe("the document about sessions", () => {
  it.each(readdirSync(examples))("has the example %s to the letter", (file) => {
    expect(blocks).toContain(readFileSync(new URL(file, examples), "utf8"));
  });

  it("has no other examples", () => {
    expect(blocks).toHaveLength(readdirSync(examples).length);
  });
});
