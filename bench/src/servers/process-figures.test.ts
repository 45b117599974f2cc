import { expect, test } from "vitest";
import { thisProcess } from "./process-figures.js";

const mebibyte = 1024 ** 2;

test("memory is what is held, without the garbage", async () => {
  const before = await thisProcess.memory();
  let held: number[][] | undefined = Array.from({ length: 1_000_000 }, (_, index) => [index, index]);
  const during = await thisProcess.memory();
  expect(held.at(-1)).toEqual([999_999, 999_999]);
  held = undefined;
  const after = await thisProcess.memory();
  expect((during - before) / mebibyte).toBeGreaterThan(48);
  expect((after - before) / mebibyte).toBeLessThan(24);
});
