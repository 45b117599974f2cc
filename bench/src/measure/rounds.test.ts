import { expect, test } from "vitest";
import { playRounds, type Sample } from "./rounds.js";

const contestants = [{ name: "a" }, { name: "b" }];
const sample: Sample = { units: 1, cost: 1, elapsed: 1, lost: 0 };

test("the contestants take turns, and the rounds to warm up do not count", async () => {
  const turns: string[] = [];
  const { rounds, failures } = await playRounds(contestants, { warmUp: 1, rounds: 2 }, async ({ name }, round) => {
    turns.push(`${name}${round}`);
    return { ...sample, units: turns.length };
  });
  expect(turns).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
  expect(rounds.map(({ a, b }) => [a?.units, b?.units])).toEqual([
    [3, 4],
    [5, 6],
  ]);
  expect(failures).toEqual([]);
});

test("one takes its turn only when the one before it is done", async () => {
  let playing = 0;
  const take = async (): Promise<Sample> => {
    expect(++playing).toBe(1);
    await Promise.resolve();
    playing--;
    return sample;
  };
  const { rounds, failures } = await playRounds(contestants, { warmUp: 0, rounds: 3 }, take);
  expect([rounds.length, failures]).toEqual([3, []]);
});

test("who fails takes no more turns and has no sample, and the others go on", async () => {
  const turns: string[] = [];
  const error = new Error("a wrong answer");
  const played = await playRounds(contestants, { warmUp: 0, rounds: 3 }, async ({ name }, round) => {
    turns.push(name);
    if (name === "a" && round === 1) throw error;
    return sample;
  });
  expect(turns).toEqual(["a", "b", "a", "b", "b"]);
  expect(played).toEqual({
    rounds: [{ b: sample }, { b: sample }, { b: sample }],
    failures: [{ contestant: contestants[0], error }],
  });
});
