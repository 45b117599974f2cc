import { costPerUnit } from "../measure/figures.js";
import type { Spread } from "../measure/spread.js";
import { type Bar, barPlot } from "./bar-plot.js";
import { linePlot } from "./line-plot.js";
import { scales } from "./numbers.js";
import type { RowRecord, RunRecord } from "./record.js";

/** By the order of the contestants: ours in blue, what it is like in green and grey, the others warmer. */
const colors = ["#0969da", "#8c959f", "#54aeff", "#57606a", "#bf8700", "#8250df", "#cf222e", "#e16f24"] as const;

/** The pictures of a run by the names of their files: one for each row of which there are figures. */
export function plotsOf(record: RunRecord): Record<string, string> {
  const plots = record.rows.map((row) => [`${row.name}.svg`, plotOf(row, record)] as const);
  return Object.fromEntries(plots.flatMap(([name, plot]) => (plot === undefined ? [] : [[name, plot]])));
}

function plotOf(
  { title, unit, resource, along = "", points }: RowRecord,
  { contestants }: RunRecord,
): string | undefined {
  const { size } = scales[resource];
  const lines = contestants.map(({ name, title: label }, index) => ({
    label,
    color: colors[index % colors.length] ?? colors[0],
    points: points.flatMap(({ at, rounds }) => {
      const spread = costPerUnit(rounds, name);
      return spread === undefined ? [] : [{ at, spread: scaled(spread, size) }];
    }),
  }));
  const drawn = lines.filter((line) => line.points.length > 0);
  if (drawn.length === 0) return undefined;
  const words = resource === "cpu" ? "microseconds of server CPU" : "KiB of resident memory";
  const measure = `${words} per ${unit}: less is better`;
  if (points.length > 1) return linePlot({ title, measure, along, lines: drawn });
  const bars = drawn.flatMap((line): Bar[] => line.points.map(({ spread }) => ({ ...line, spread })));
  return barPlot({ title, measure, bars });
}

function scaled({ median, lowest, highest }: Spread, size: number): Spread {
  return { median: median / size, lowest: lowest / size, highest: highest / size };
}
