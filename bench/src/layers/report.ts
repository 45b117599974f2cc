import { spreadOf } from "../measure/percentile.js";
import type { Disturbance } from "./disturbance.js";
import type { Findings } from "./findings.js";
import type { Course } from "./verdict.js";

const mebibyte = 1024 * 1024;

/** The figures of one layer, for the last line of the output. Times are in milliseconds, sizes in MiB. */
export function figuresOf(course: Course, faults: readonly string[]): Record<string, unknown> {
  const { findings, latency, seconds, load, ends, before, after, disturbances } = course;
  const { rejections, examples: _, gaps, ...counts } = findings;
  return {
    ok: faults.length === 0,
    ...counts,
    p50: latency?.p50,
    p99: latency?.p99,
    highest: latency?.highest,
    unit: "ms",
    seconds: Math.round(seconds * 10) / 10,
    load: Math.round(load * 10) / 10,
    gaps,
    ended: ends.length,
    dropped: after.map(({ dropped }) => dropped),
    heap: { before: before.map(({ heap }) => inMiB(heap)), after: after.map(({ heap }) => inMiB(heap)) },
    rss: { before: before.map(({ rss }) => inMiB(rss)), after: after.map(({ rss }) => inMiB(rss)) },
    disturbances: disturbances.map((each) => disturbanceFigures(each, rejections)),
    faults,
  };
}

function disturbanceFigures(disturbance: Disturbance, rejections: Findings["rejections"]): Record<string, unknown> {
  const { kind, from, until, resumed, health, largest } = disturbance;
  const meanwhile = rejections.filter(({ ended }) => ended >= from && ended <= until + (resumed?.last ?? 0));
  return {
    kind,
    away: Math.round(until - from),
    resumed: resumed ?? null,
    rejected: meanwhile.length,
    rejectedWithin: spreadOf(meanwhile.map(({ began, ended }) => ended - began)) ?? null,
    health,
    largestRss: inMiB(largest),
  };
}

/** What a run of one layer has shown, in sentences. */
export function sentencesOf({ layer, findings, latency }: Course, faults: readonly string[]): string {
  if (faults.length > 0) return faults.map((fault) => `${layer}: ${fault}\n`).join("");
  const { deliveries, reported, rejected } = findings;
  const missed = reported === 0 ? "" : ` ${reported} that were missed were reported by gaps;`;
  const refused = rejected === 0 ? "" : ` ${rejected} publishes were rejected;`;
  return (
    `${layer}: none of ${deliveries} deliveries was lost, none came twice, and the order was kept;${missed}${refused} ` +
    `from process to process it took ${latency?.p50} ms, and ${latency?.p99} ms for all but one in a hundred.\n`
  );
}

function inMiB(bytes: number): number {
  return Math.round((bytes / mebibyte) * 10) / 10;
}
