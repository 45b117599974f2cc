import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../examples/${path}`, import.meta.url), "utf8");

it("the application is the same on Bun and on Deno, to the letter", () => {
  expect(read("embed-bun/src/application.ts")).toBe(read("embed-deno/src/application.ts"));
});

describe.each(["openid", "better-auth"])("the README of examples/%s", (example) => {
  const files = readdirSync(new URL(`../examples/${example}/src/`, import.meta.url));
  const blocks = [...read(`${example}/README.md`).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);

  it.each(files)("has %s to the letter", (file) => {
    expect(blocks).toContain(read(`${example}/src/${file}`));
  });

  it("has no other code", () => {
    expect(blocks).toHaveLength(files.length);
  });
});
