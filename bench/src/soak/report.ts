import type { Options } from "./arguments.js";
import { type Course, inMebibytes, type Verdict } from "./verdict.js";

/** What a soak has shown: sentences, and the figures as one line of JSON. */
export function reportOf(options: Options, course: Course, { growth, faults }: Verdict): string {
  const { samples, peak, rest, figures } = course;
  const visits = Object.values(figures.visits).reduce((sum, count) => sum + count, 0);
  const json = {
    ok: faults.length === 0,
    faults,
    ...options,
    node: process.versions.node,
    growth,
    peak,
    rest,
    figures,
    samples: samples.map(({ at, state: { heap, rss, members } }) => ({ at: Math.round(at), heap, rss, members })),
  };
  const passed =
    `Nothing was left behind by ${visits} connections, and memory was flat: under load it grew by ` +
    `${inMebibytes(growth.heapUnderLoad.grown)} of heap, at rest by ${inMebibytes(growth.heapAtRest.grown)} ` +
    `(up to ${inMebibytes(growth.heapUnderLoad.bound)} and ${inMebibytes(growth.heapAtRest.bound)} are noise).`;
  const sentences = faults.length === 0 ? [passed] : faults;
  return `${sentences.join("\n")}\n${JSON.stringify(json)}\n`;
}
