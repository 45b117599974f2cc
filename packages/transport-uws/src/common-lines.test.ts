import { describe, expect, it } from "vitest";
import { CommonLines } from "./common-lines.js";

const asIs = (value: string): string => value;

describe("CommonLines", () => {
  it("gives the same pair for the same line, which nobody can change", () => {
    const lines = new CommonLines();
    const line = lines.line(0, "user-agent", "a browser", asIs);
    expect(line).toEqual(["user-agent", "a browser"]);
    expect(lines.line(0, "user-agent", "a browser", asIs)).toBe(line);
    expect(Object.isFrozen(line)).toBe(true);
  });

  it("gives the same pair wherever in a head it stands, and another one where another stood", () => {
    const lines = new CommonLines();
    const line = lines.line(0, "user-agent", "a browser", asIs);
    expect(lines.line(0, "origin", "a browser", asIs)).toEqual(["origin", "a browser"]);
    expect(lines.line(0, "user-agent", "another one", asIs)).toEqual(["user-agent", "another one"]);
    for (const place of [0, 5, 1_000]) expect(lines.line(place, "user-agent", "a browser", asIs)).toBe(line);
  });

  it("gives what was read of the value, also the second time", () => {
    const lines = new CommonLines();
    const upperCase = (value: string): string => value.toUpperCase();
    expect(lines.line(0, "origin", "a", upperCase)).toEqual(["origin", "A"]);
    expect(lines.line(0, "origin", "a", upperCase)).toEqual(["origin", "A"]);
  });

  it("takes nothing that was read for something that came", () => {
    const lines = new CommonLines();
    const twice = (value: string): string => value + value;
    expect(lines.line(0, "origin", "a", twice)).toEqual(["origin", "aa"]);
    expect(lines.line(0, "origin", "aa", twice)).toEqual(["origin", "aaaa"]);
  });

  it.each(["authorization", "cookie", "sec-websocket-protocol", "x-token"])("keeps nothing of %s", (name) => {
    const lines = new CommonLines();
    const line = lines.line(0, name, "a secret", asIs);
    expect(line).toEqual([name, "a secret"]);
    expect(lines.line(0, name, "a secret", asIs)).not.toBe(line);
  });

  it("keeps no more values than it may, and no long ones", () => {
    const lines = new CommonLines();
    const first = lines.line(0, "accept", "first", asIs);
    for (let index = 0; index < 64; index++) lines.line(0, "accept", `other ${index}`, asIs);
    expect(lines.line(0, "accept", "first", asIs)).not.toBe(first);
    const long = "x".repeat(257);
    expect(lines.line(0, "accept", long, asIs)).not.toBe(lines.line(0, "accept", long, asIs));
  });
});
