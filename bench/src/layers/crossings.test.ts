import { expect, test } from "vitest";
import { Crossings } from "./crossings.js";

test("delivery has resumed when every server hears every server", () => {
  const crossings = new Crossings(2);
  crossings.note({ from: 0, to: 0, at: 90, arrival: 91 });
  crossings.watch();
  crossings.note({ from: 0, to: 0, at: 99, arrival: 105 });
  crossings.note({ from: 0, to: 0, at: 101, arrival: 106 });
  crossings.note({ from: 0, to: 1, at: 101, arrival: 107 });
  crossings.note({ from: 1, to: 1, at: 120, arrival: 121 });
  expect(crossings.resumption(100)).toBeUndefined();
  crossings.note({ from: 1, to: 0, at: 130, arrival: 131.006 });
  crossings.note({ from: 1, to: 0, at: 140, arrival: 141 });
  expect(crossings.resumption(100)).toEqual({ first: 6, last: 31.01 });
});
