import { describe, expect, it } from "vitest";
import { growScope, header, headerValues } from "./scope.js";

const scope = {
  headers: [
    ["host", "example.com"],
    ["cookie", "a=1"],
    ["accept", "text/html"],
    ["x-empty", ""],
    ["cookie", "b=2"],
    ["accept", "*/*"],
  ],
} as const;

describe("growScope", () => {
  it("adds and overrides in a copy, and leaves the original alone", () => {
    const original = Object.freeze({ path: "/", user: undefined });
    const grown = growScope(original, { user: "ada", grant: 1 });
    expect(grown).toEqual({ path: "/", user: "ada", grant: 1 });
    expect(original).toEqual({ path: "/", user: undefined });
  });
});

describe("headerValues", () => {
  it("lists the values of a name as they came", () => {
    expect(headerValues(scope, "accept")).toEqual(["text/html", "*/*"]);
    expect(headerValues(scope, "host")).toEqual(["example.com"]);
    expect(headerValues(scope, "origin")).toEqual([]);
  });
});

describe("header", () => {
  it("is the value of a name", () => {
    expect(header(scope, "host")).toBe("example.com");
    expect(header(scope, "x-empty")).toBe("");
  });

  it("joins repeated lines as their kind asks for", () => {
    expect(header(scope, "accept")).toBe("text/html, */*");
    expect(header(scope, "cookie")).toBe("a=1; b=2");
  });

  it("is undefined for a name that did not come, and takes names in lower case only", () => {
    expect(header(scope, "origin")).toBeUndefined();
    expect(header(scope, "Host")).toBeUndefined();
  });
});
