import { expect, test } from "vitest";
import { reconnectPause } from "./reconnect-pause.js";

test("a lost server is called again after a pause that doubles up to half a second, less up to half of it by chance", () => {
  for (const [failures, longest] of [50, 100, 200, 400, 500, 500].entries()) {
    const pauses = Array.from({ length: 100 }, () => reconnectPause(failures));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(longest / 2);
    expect(Math.max(...pauses)).toBeLessThan(longest);
    expect(new Set(pauses).size).toBeGreaterThan(90);
  }
  expect(reconnectPause(5_000)).toBeLessThan(500);
});
