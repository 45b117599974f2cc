import { costGrowth, costPerUnit, costRatio } from "../measure/figures.js";
import type { Goal, Row } from "../rows/row.js";
import { costText, ratioText, thousands } from "./numbers.js";
import type { PointRecord, RowRecord, RunRecord } from "./record.js";

/** Whom the goals are for. */
const ours = "sluice-uws";

/** Whether a goal was reached in a run. */
export interface Verdict {
  /** Of the row. */
  readonly title: string;
  readonly wanted: string;
  readonly measured: string;
  readonly isMet: boolean | undefined;
}

/** What a goal is about, and what has been found. */
interface Finding {
  readonly value: number;
  /** At which point, where that is not said by the goal. */
  readonly at?: string;
}

/** A verdict for each goal of the rows that were measured. */
export function verdictsOf(record: RunRecord, rows: readonly Row[]): Verdict[] {
  return rows.flatMap((row) => {
    const measured = record.rows.find(({ name }) => name === row.name);
    if (measured === undefined) return [];
    return row.goals.map((goal) => verdictOn(goal, measured, record));
  });
}

function verdictOn(goal: Goal, row: RowRecord, record: RunRecord): Verdict {
  const found = findingOf(goal, row, record);
  const text = (value: number): string => (goal.to === "nothing" ? costText(value, row.resource) : ratioText(value));
  const at = goal.at === undefined ? "" : `, at ${thousands(goal.at)} ${row.along}`;
  return {
    title: row.title,
    wanted: `at most ${text(goal.atMost)}${toWords(goal, row, record)}${at}`,
    measured: found === undefined ? "not measured" : `${text(found.value)}${found.at ?? ""}`,
    isMet: found && found.value <= goal.atMost,
  };
}

function toWords({ to }: Goal, row: RowRecord, record: RunRecord): string {
  if (to === "nothing") return "";
  if (to === "first point") return ` times what it is at ${thousands(row.points[0]?.at ?? 0)} ${row.along}`;
  if ("contestant" in to) {
    return ` times ${record.contestants.find(({ name }) => name === to.contestant)?.title ?? to.contestant}`;
  }
  return ` times ${record.rows.find(({ name }) => name === to.row)?.title ?? to.row}`;
}

function findingOf({ to, at }: Goal, row: RowRecord, record: RunRecord): Finding | undefined {
  if (to === "first point") return steepest(row.points, row.along);
  const point = at === undefined ? row.points[0] : row.points.find((one) => one.at === at);
  if (point === undefined) return undefined;
  const cost = medianCost(point);
  if (to === "nothing") return finding(cost);
  if ("contestant" in to) return finding(costRatio(point.rounds, ours, to.contestant)?.median);
  const [other] = record.rows.find(({ name }) => name === to.row)?.points ?? [];
  const otherCost = other && medianCost(other);
  return cost === undefined || otherCost === undefined ? undefined : finding(cost / otherCost);
}

/** The point that costs most, in what the first one costs. */
function steepest([first, ...others]: readonly PointRecord[], along = ""): Finding | undefined {
  if (first === undefined) return undefined;
  const findings = others.flatMap((point) => {
    const growth = costGrowth(point.rounds, first.rounds, ours);
    return growth === undefined ? [] : [{ value: growth.median, at: ` at ${thousands(point.at)} ${along}` }];
  });
  return findings.length < others.length ? undefined : findings.sort((a, b) => b.value - a.value)[0];
}

function medianCost({ rounds }: PointRecord): number | undefined {
  return costPerUnit(rounds, ours)?.median;
}

function finding(value: number | undefined): Finding | undefined {
  return value === undefined ? undefined : { value };
}
