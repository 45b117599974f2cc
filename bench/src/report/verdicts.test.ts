import { expect, test } from "vitest";
import { record, rows, sample } from "./test-record.js";
import { verdictsOf } from "./verdicts.js";

test("each goal of what was measured is met or not, or nobody knows", () => {
  const verdicts = verdictsOf(record, rows);
  expect(verdicts.map(({ wanted, measured, isMet }) => [wanted, measured, isMet])).toEqual([
    ["at most 1.25 times By hand", "1.20", true],
    ["at most 0.50 times Channels", "not measured", undefined],
    ["at most 1.00 times idle connection", "0.03", true],
    ["at most 4.00 KiB, at 5,000 connections", "5.00 KiB", false],
    ["at most 1.15 times what it is at 1,000 connections", "1.25 at 5,000 connections", false],
  ]);
  expect(verdicts.map(({ title }) => title)).toEqual([
    ...Array<string>(3).fill("handshake with a token"),
    ...Array<string>(2).fill("idle connection"),
  ]);
});

test("a growth of which a point is missing is not known", () => {
  const idle = record.rows.filter(({ name }) => name === "idle");
  const broken = idle.map((row) => ({ ...row, points: [...row.points, { at: 15_000, rounds: [{}] }] }));
  const [, growth] = verdictsOf({ ...record, rows: broken }, rows);
  expect(growth).toMatchObject({ measured: "not measured", isMet: undefined });
});

test("growth is what it was in the rounds that were played together, not between the medians", () => {
  const at = (point: number, ...costs: number[]) => ({
    at: point,
    rounds: costs.map((cost) => ({ "sluice-uws": sample(cost) })),
  });
  const idle = record.rows.filter(({ name }) => name === "idle");
  const uneven = idle.map((row) => ({ ...row, points: [at(1_000, 200, 300, 100), at(5_000, 300, 200, 200)] }));
  const [, growth] = verdictsOf({ ...record, rows: uneven }, rows);
  expect(growth).toMatchObject({ measured: "1.50 at 5,000 connections", isMet: false });
});
