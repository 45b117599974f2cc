import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { environment } from "../settings.js";

const page = readFileSync(new URL("../../../../docs/settings.md", import.meta.url), "utf8");

it("docs/settings.md has every variable, with its default, and nothing else", () => {
  const documented = [...page.matchAll(/^\| `(\w+)` \| (?:`(.*?)` )?\| \S.* \|$/gm)];
  const rows = page.split("\n").filter((line) => line.startsWith("|"));
  expect(documented).toHaveLength(rows.length - 2);
  const defaults = Object.entries(environment.parse({}));
  expect(Object.fromEntries(documented.map(([, name, value = ""]) => [name, value]))).toEqual({
    ...Object.fromEntries(Object.keys(environment.shape).map((name) => [name, ""])),
    ...Object.fromEntries(defaults.map(([name, value]) => [name, String(value ?? "")])),
  });
});
