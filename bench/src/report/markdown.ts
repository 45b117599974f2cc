import { costPerUnit, costRatio, lossesOf, spreadOfSamples, throughput } from "../measure/figures.js";
import type { Row } from "../rows/row.js";
import { costText, few, rangeText, ratioText, thousands } from "./numbers.js";
import type { Entrant, PointRecord, RowRecord, RunRecord } from "./record.js";
import { verdictsOf } from "./verdicts.js";

/** A run as Markdown: what it was got with, what was wanted and was reached, and a table for each row. */
export function markdownReport(record: RunRecord, rows: readonly Row[]): string {
  return [
    ...preamble(record),
    ...goals(record, rows),
    ...record.rows.flatMap((row) => [
      `### ${row.title}`,
      "",
      ...rowTable(row, record.contestants, rows.find(({ name }) => name === row.name)?.remark),
      ...row.failures.map(({ contestant, at, words }) => {
        const where = row.along === undefined ? "" : `, at ${thousands(at)} ${row.along}`;
        return `- **${titleOf(contestant, record)} failed${where}:** ${words}`;
      }),
      ...(row.failures.length > 0 ? [""] : []),
    ]),
    ...losses(record),
  ].join("\n");
}

function preamble({ environment, pace, contestants }: RunRecord): string[] {
  const { node, machine, date, load } = environment;
  return [
    `A ${pace} run of ${date.slice(0, 10)} on Node ${node}, ${machine}, with a load of ${load} when it began.`,
    "",
    ...table(
      ["contestant", "made of"],
      contestants.map(({ title, versions, missing }) => [
        title,
        missing === undefined ? versions.join(", ") : `**missing:** ${missing}`,
      ]),
    ),
  ];
}

function goals(record: RunRecord, rows: readonly Row[]): string[] {
  const verdicts = verdictsOf(record, rows);
  if (verdicts.length === 0) return [];
  const outcome = (isMet: boolean | undefined): string => (isMet === undefined ? "" : isMet ? "met" : "**not met**");
  return [
    "### What we want",
    "",
    ...table(
      ["of Sluice on uWebSockets.js", "goal", "measured", ""],
      verdicts.map(({ title, wanted, measured, isMet }) => [title, wanted, measured, outcome(isMet)]),
    ),
  ];
}

function rowTable(row: RowRecord, contestants: readonly Entrant[], remark: Row["remark"]): string[] {
  const heading = [
    ...(row.along === undefined ? [] : [row.along]),
    "contestant",
    `${row.resource === "cpu" ? "server CPU" : "resident memory"} per ${row.unit}`,
    "lowest to highest round",
    "times its control",
    "lowest to highest round",
    "per second",
    ...(remark === undefined ? [] : [remark.title]),
  ];
  return table(
    heading,
    row.points.flatMap((point) =>
      contestants.flatMap((contestant) => {
        const cells = contestantCells(row, point, contestant, remark);
        return cells === undefined ? [] : [row.along === undefined ? cells : [thousands(point.at), ...cells]];
      }),
    ),
  );
}

/** Undefined for a contestant that has no figure here. */
function contestantCells(
  { resource }: RowRecord,
  { rounds }: PointRecord,
  { name, title, control }: Entrant,
  remark: Row["remark"],
): string[] | undefined {
  const cost = costPerUnit(rounds, name);
  const speed = throughput(rounds, name);
  if (cost === undefined || speed === undefined) return undefined;
  const text = (value: number): string => costText(value, resource);
  const ratio = control === undefined ? undefined : costRatio(rounds, name, control);
  const remarked = remark && spreadOfSamples(rounds, name, remark.of);
  return [
    title,
    text(cost.median),
    rangeText(cost, text),
    ratio === undefined ? "" : `**${ratioText(ratio.median)}**`,
    ratio === undefined ? "" : rangeText(ratio, ratioText),
    thousands(speed.median),
    ...(remark === undefined ? [] : [remarked === undefined ? "" : few(remarked.median)]),
  ];
}

function losses({ rows, contestants }: RunRecord): string[] {
  const rounds = rows.flatMap(({ points }) => points.flatMap((point) => point.rounds));
  const lost = contestants.map(({ title, name }) => ({ title, count: lossesOf(rounds, name) }));
  const words = lost.filter(({ count }) => count > 0).map(({ title, count }) => `${title} ${count}`);
  return words.length === 0
    ? []
    : [`WebSockets that a server closed by itself after its 101: ${words.join(", ")}. The README says why.`, ""];
}

function titleOf(contestant: string, { contestants }: RunRecord): string {
  return contestants.find(({ name }) => name === contestant)?.title ?? contestant;
}

/** With an empty line behind it. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [...[heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`), ""];
}
