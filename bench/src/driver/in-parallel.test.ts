import { expect, test } from "vitest";
import { inParallel } from "./in-parallel.js";

test("every item is worked on once, no more at a time than the width", async () => {
  const done: number[] = [];
  let working = 0;
  let most = 0;
  await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++working);
    await Promise.resolve();
    working--;
    done.push(item);
  });
  expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test("after a failure nothing new is begun, and what had begun is waited for", async () => {
  const begun: number[] = [];
  let finished = false;
  const work = inParallel([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("a wrong answer");
    await Promise.resolve();
    finished = true;
  });
  await expect(work).rejects.toThrow("a wrong answer");
  expect(begun).toEqual([1, 2]);
  expect(finished).toBe(true);
});
