import type { Course } from "./verdict.js";

/** The figures of one layer, for the last line of the output. Times are in milliseconds. */
export function figuresOf(course: Course, faults: readonly string[]): Record<string, unknown> {
  const { sockets, bound, findings, seconds, load, failures, after } = course;
  const { fromAnswer, fromCall, elsewhere, examples: _, ...counts } = findings;
  return {
    ok: faults.length === 0,
    sockets,
    ...counts,
    failed: failures.length,
    p50: fromAnswer?.p50,
    p99: fromAnswer?.p99,
    highest: fromAnswer?.highest,
    unit: "ms",
    bound,
    elsewhere: elsewhere ?? null,
    fromCall: fromCall ?? null,
    leases: after.map(({ leases }) => leases),
    seconds: Math.round(seconds * 10) / 10,
    load: Math.round(load * 10) / 10,
    faults,
  };
}

/** What a run of one layer has shown, in sentences. */
export function sentencesOf({ layer, findings }: Course, faults: readonly string[]): string {
  if (faults.length > 0) return faults.map((fault) => `${layer}: ${fault}\n`).join("");
  const { closed, early, fromAnswer } = findings;
  return (
    `${layer}: all ${closed} sockets were closed, and none but those of the token; from the answer it took ` +
    `${fromAnswer?.p50} ms, and ${fromAnswer?.p99} ms for all but one in a hundred; ${early} were closed before it.\n`
  );
}
