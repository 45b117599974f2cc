import { expect, it } from "vitest";
import { Shown } from "./shown.js";

it("knows the last messages again, and forgets the oldest for a new one", () => {
  const shown = new Shown(2);
  expect(["a", "b", "a", "b"].map((id) => shown.add(id))).toEqual([true, true, false, false]);
  expect(shown.add("c")).toBe(true);
  expect(["b", "c"].map((id) => shown.add(id))).toEqual([false, false]);
  expect(shown.add("a")).toBe(true);
});
