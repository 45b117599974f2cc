import { costPerUnit, costRatio } from "../measure/figures.js";
import type { Spread } from "../measure/spread.js";
import { table } from "./markdown.js";
import { costText, ratioText, thousands } from "./numbers.js";
import type { Entrant, PointRecord, RowRecord, RunRecord } from "./record.js";

/** What has changed from one run to another, of what both have measured: as Markdown. */
export function compareReport(before: RunRecord, after: RunRecord): string {
  const changes = after.rows.flatMap((row) => {
    const earlier = before.rows.find(({ name }) => name === row.name);
    return row.points.flatMap((point) => {
      const earlierPoint = earlier?.points.find(({ at }) => at === point.at);
      if (earlierPoint === undefined) return [];
      return after.contestants.flatMap((contestant) => {
        const cells = changeOf(row, earlierPoint, point, contestant);
        const where = row.along === undefined ? row.title : `${row.title}, at ${thousands(point.at)} ${row.along}`;
        return cells === undefined ? [] : [[where, contestant.title, ...cells]];
      });
    });
  });
  return [
    `Before: ${environmentOf(before)}. After: ${environmentOf(after)}.`,
    "",
    ...table(["measure", "contestant", "before", "after", "change", "times its control, before", "after", ""], changes),
    "The last column says where no round of the one run is like any round of the other: in the ratio to the control, or where",
    "there is no control in the cost.",
    "",
  ].join("\n");
}

/** Undefined if one of the runs has no figure. */
function changeOf(
  { resource }: RowRecord,
  before: PointRecord,
  after: PointRecord,
  { name, control }: Entrant,
): string[] | undefined {
  const [was, is] = [before, after].map(({ rounds }) => costPerUnit(rounds, name));
  if (was === undefined || is === undefined) return undefined;
  const [ratioWas, ratioIs] = [before, after].map(({ rounds }) => control && costRatio(rounds, name, control));
  const apart = ratioWas && ratioIs ? direction(ratioWas, ratioIs) : direction(was, is);
  const change = (is.median / was.median - 1) * 100;
  return [
    costText(was.median, resource),
    costText(is.median, resource),
    `${change < 0 ? "-" : "+"}${Math.abs(change).toFixed(0)} %`,
    ratioWas ? ratioText(ratioWas.median) : "",
    ratioIs ? ratioText(ratioIs.median) : "",
    apart,
  ];
}

/** Which way it went, if the spreads have nothing in common. */
function direction(before: Spread, after: Spread): string {
  if (after.highest < before.lowest) return "**cheaper**";
  return after.lowest > before.highest ? "**dearer**" : "";
}

function environmentOf({ environment: { date, node, machine, load }, pace }: RunRecord): string {
  return `${pace} run of ${date}, Node ${node}, ${machine}, load ${load}`;
}
