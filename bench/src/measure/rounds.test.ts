import { expect, test } from "vitest";
import { playRounds, type Sample } from "./rounds.js";

const contestants = [{ name: "a" }, { name: "b" }];

test("the contestants take turns, and the rounds to warm up do not count", async () => {
  const turns: string[] = [];
  const rounds = await playRounds(contestants, { warmUp: 1, rounds: 2 }, async ({ name }) => {
    turns.push(name);
    return { units: turns.length, cpu: 1, elapsed: 1, lost: 0 };
  });
  expect(turns).toEqual(["a", "b", "a", "b", "a", "b"]);
  expect(rounds.map(({ a, b }) => [a?.units, b?.units])).toEqual([
    [3, 4],
    [5, 6],
  ]);
});

test("one takes its turn only when the one before it is done", async () => {
  let playing = 0;
  const take = async (): Promise<Sample> => {
    expect(++playing).toBe(1);
    await Promise.resolve();
    playing--;
    return { units: 1, cpu: 1, elapsed: 1, lost: 0 };
  };
  expect(await playRounds(contestants, { warmUp: 0, rounds: 3 }, take)).toHaveLength(3);
});

test("a failure ends it", async () => {
  const turns: string[] = [];
  const played = playRounds(contestants, { warmUp: 0, rounds: 3 }, async ({ name }) => {
    turns.push(name);
    throw new Error("a wrong answer");
  });
  await expect(played).rejects.toThrow("a wrong answer");
  expect(turns).toEqual(["a"]);
});
