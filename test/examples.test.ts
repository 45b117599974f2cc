import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../examples/${path}`, import.meta.url), "utf8");

it("the application is the same on Bun and on Deno, to the letter", () => {
  expect(read("embed-bun/src/application.ts")).toBe(read("embed-deno/src/application.ts"));
});
