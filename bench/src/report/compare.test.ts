import { expect, test } from "vitest";
import { compareReport } from "./compare.js";
import type { RowRecord, RunRecord } from "./record.js";
import { point, record } from "./test-record.js";

const row: RowRecord = { name: "echo", title: "echo", unit: "message", resource: "cpu", points: [], failures: [] };

function run(ours: number, control: number): RunRecord {
  return { ...record, rows: [{ ...row, points: [point(1, { "sluice-uws": ours, "control-uws": control })] }] };
}

function rowsOf(before: RunRecord, after: RunRecord): string[] {
  return compareReport(before, after)
    .split("\n")
    .filter((line) => line.startsWith("| echo"));
}

test("what has become cheaper in its ratio is said so, also on a slower machine", () => {
  expect(rowsOf(run(200, 100), run(300, 200))).toEqual([
    "| echo | Ours | 2.00 us | 3.00 us | +50 % | 2.00 | 1.50 | **cheaper** |",
    "| echo | By hand | 1.00 us | 2.00 us | +100 % |  |  | **dearer** |",
  ]);
});

test("what has not changed is not marked, and what only one has measured is left out", () => {
  const both = run(200, 100);
  const more = {
    ...both,
    rows: [...both.rows, { ...row, name: "json", title: "echo of JSON", points: [point(1, { "sluice-uws": 1 })] }],
  };
  expect(rowsOf(both, more)).toEqual([
    "| echo | Ours | 2.00 us | 2.00 us | +0 % | 2.00 | 2.00 |  |",
    "| echo | By hand | 1.00 us | 1.00 us | +0 % |  |  |  |",
  ]);
});

test("points are compared with the same point", () => {
  const along = (at: number): RunRecord => ({
    ...record,
    rows: [
      { ...row, along: "members", points: [point(10, { "control-uws": 100 }), point(at, { "control-uws": 100 })] },
    ],
  });
  expect(rowsOf(along(100), along(1_000))).toEqual([
    "| echo, at 10 members | By hand | 1.00 us | 1.00 us | +0 % |  |  |  |",
  ]);
});
