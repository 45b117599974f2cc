import { describe, expect, it } from "vitest";
import { CommonLines } from "./common-lines.js";

const asIs = (value: string): string => value;

describe("CommonLines", () => {
  it("gives the same pair for the same line, which nobody can change", () => {
    const lines = new CommonLines();
    const line = lines.line("user-agent", "a browser", asIs);
    expect(line).toEqual(["user-agent", "a browser"]);
    expect(lines.line("user-agent", "a browser", asIs)).toBe(line);
    expect(Object.isFrozen(line)).toBe(true);
  });

  it("gives what was read of the value, also the second time", () => {
    const lines = new CommonLines();
    const upperCase = (value: string): string => value.toUpperCase();
    expect(lines.line("origin", "a", upperCase)).toEqual(["origin", "A"]);
    expect(lines.line("origin", "a", upperCase)).toEqual(["origin", "A"]);
  });

  it.each(["authorization", "cookie", "sec-websocket-protocol", "x-token"])("keeps nothing of %s", (name) => {
    const lines = new CommonLines();
    const line = lines.line(name, "a secret", asIs);
    expect(line).toEqual([name, "a secret"]);
    expect(lines.line(name, "a secret", asIs)).not.toBe(line);
  });

  it("keeps no more values than it may, and no long ones", () => {
    const lines = new CommonLines();
    const first = lines.line("accept", "first", asIs);
    for (let index = 0; index < 64; index++) lines.line("accept", `other ${index}`, asIs);
    expect(lines.line("accept", "first", asIs)).not.toBe(first);
    const long = "x".repeat(257);
    expect(lines.line("accept", long, asIs)).not.toBe(lines.line("accept", long, asIs));
  });
});
