import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as errors from "./errors.js";
import { DenyConnection, type SluiceError } from "./errors.js";

const { SluiceError: _abstract, ...classes } = errors;
const made = Object.entries(classes).map(
  ([name, Class]) =>
    [name, Reflect.construct(Class, name === "DenyConnection" ? [{}] : ["why"]) as SluiceError] as const,
);

describe("errors", () => {
  it("have codes of their own, which the documentation names beside their classes", () => {
    const codes = made.map(([, error]) => error.code);
    expect(new Set(codes).size).toBe(made.length);
    const documented = readFileSync(new URL("../../../docs/outcomes.md", import.meta.url), "utf8");
    const rows = [...documented.matchAll(/^\| *`(\w+)` *\| *`(\w+)` *\|/gm)].map(([, code, name]) => [name, code]);
    expect(rows.sort()).toEqual(made.map(([name, error]) => [name, error.code]).sort());
  });

  it.each(made)("%s goes by its name", (name, error) => {
    expect([error.name, error instanceof Error]).toEqual([name, true]);
  });

  it("keep their cause", () => {
    const cause = new Error("below");
    expect(new errors.LayerUnavailable("why", { cause }).cause).toBe(cause);
  });

  it("DenyConnection takes a status that can be a refusal's", () => {
    expect(new DenyConnection()).toMatchObject({ status: 403, headers: [], body: "", closeCode: undefined });
    for (const status of [101, 199, 600, 403.5, Number.NaN]) {
      expect(() => new DenyConnection({ status })).toThrow(TypeError);
    }
    expect(() => new DenyConnection({ headers: [["x-a", "1\r\nset-cookie: evil=1"]] })).toThrow(TypeError);
  });
});
