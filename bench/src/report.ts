import type { Result } from "./benchmark.js";
import type { Environment } from "./environment.js";
import { cpuPerUnit, cpuRatio, lossesOf, throughput } from "./measure/figures.js";
import { measures } from "./measure/measures.js";
import type { Contestant } from "./servers/contestants.js";

const heading = [
  "measure",
  "server",
  "server CPU / control",
  "lowest to highest round",
  "server CPU per unit",
  "units per server CPU second",
  "units per second",
];

/** The results as a Markdown table, with a row for each measure and contestant, and a line on what they were got with. */
export function markdownReport(
  results: readonly Result[],
  contestants: readonly Contestant[],
  { node, uWebSockets, jose, machine }: Environment,
): string {
  const rows = results.flatMap((result) => contestants.map((contestant) => row(result, contestant)));
  const table = [heading, heading.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const rounds = Math.max(...results.map((result) => result.rounds.length));
  const losses = results.flatMap((result) => contestants.map(({ name }) => lossesOf(result.rounds, name)));
  const lost = losses.reduce((sum, count) => sum + count, 0);
  return [
    ...table,
    "",
    `Medians of ${rounds} rounds. Node ${node}, uWebSockets.js ${uWebSockets}, jose ${jose}, on ${machine}.`,
    ...(lost > 0 ? [`WebSockets that a server closed by itself after its 101: ${lost}. The README says why.`] : []),
    "",
  ].join("\n");
}

function row({ measure, rounds }: Result, { name, title, control }: Contestant): string[] {
  const ratio = control === undefined ? undefined : cpuRatio(rounds, name, control);
  const { median: cpu } = cpuPerUnit(rounds, name);
  return [
    measures[measure].title,
    title,
    ratio === undefined ? "1" : `**${ratio.median.toFixed(2)}**`,
    ratio === undefined ? "" : `${ratio.lowest.toFixed(2)} to ${ratio.highest.toFixed(2)}`,
    `${cpu.toFixed(cpu < 10 ? 2 : 0)} us`,
    thousands(1_000_000 / cpu),
    thousands(throughput(rounds, name).median),
  ];
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** The results with every sample, for other programs. */
export function jsonReport(
  results: readonly Result[],
  contestants: readonly Contestant[],
  environment: Environment,
): string {
  const content = {
    environment,
    results: results.map(({ measure, rounds }) => ({
      measure,
      contestants: contestants.map(({ name, control }) => ({
        name,
        cpuMicrosecondsPerUnit: cpuPerUnit(rounds, name),
        unitsPerSecond: throughput(rounds, name),
        lost: lossesOf(rounds, name),
        ...(control !== undefined && { control, cpuRatio: cpuRatio(rounds, name, control) }),
      })),
      rounds,
    })),
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
