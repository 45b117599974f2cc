import type { LayerName } from "../checks/layers.js";
import type { Findings } from "./closures.js";
import type { ServerState } from "./server.js";
import { closeCode, reason } from "./words.js";

/** What a check of one layer has seen. */
export interface Course {
  readonly layer: LayerName;
  readonly sockets: number;
  /** The most that the p99 may be, in milliseconds. */
  readonly bound: number;
  readonly findings: Findings;
  /** Why revocations were not answered as they should be. */
  readonly failures: readonly string[];
  /** From the first revocation to the last close. */
  readonly seconds: number;
  /** How many processes of the whole machine wanted to run, on average over a minute. */
  readonly load: number;
  /** Of each server: when all clients had come, and when all had been revoked. */
  readonly before: readonly ServerState[];
  readonly after: readonly ServerState[];
}

/** What is wrong, a sentence each. */
export function judge(course: Course): string[] {
  return [
    ...closing(course),
    ...course.before.flatMap((state, index) => [...begin(state, index, course)]),
    ...course.after.flatMap((state, index) => [...end(state, index, course)]),
    ...speed(course),
  ];
}

function* closing({ sockets, failures, findings }: Course): Iterable<string> {
  const { closed, late, wrong, strayed, examples } = findings;
  const suchAs = examples.length === 0 ? "" : ` Such as: ${examples.join("; ")}.`;
  if (failures.length > 0) yield `${failures.length} revocations failed, such as: ${failures[0]}`;
  if (late > 0) yield `${late} sockets were not closed in time.${suchAs}`;
  if (wrong > 0) yield `${wrong} sockets ended otherwise than by ${closeCode} "${reason}".${suchAs}`;
  if (strayed > 0) yield `${strayed} sockets ended whose tokens had not been revoked.${suchAs}`;
  if (closed < sockets) yield `${closed} sockets were closed as they should be, where ${sockets} were to be.`;
}

function* begin({ leases, counts }: ServerState, index: number, { sockets, before }: Course): Iterable<string> {
  const expected = sockets / before.length;
  if (leases !== expected) yield `Server ${index} had ${leases} leases for ${expected} sockets.`;
  if (counts.inDoubt > 0) yield `Server ${index} did not hear itself on the layer.`;
}

function* end(
  { leases, counts, connections, failures }: ServerState,
  index: number,
  { sockets, after }: Course,
): Iterable<string> {
  if (leases > 0) yield `Server ${index} has ${leases} leases left.`;
  if (connections > 0) yield `Server ${index} has ${connections} connections left.`;
  const expected = sockets / after.length;
  if (counts.ended[reason] !== expected) {
    yield `Server ${index} ended ${counts.ended[reason]} leases as "${reason}", where ${expected} were to be.`;
  }
  if (failures.unplanned > 0) {
    yield `Server ${index} logged ${failures.unplanned} errors, such as: ${failures.examples[0]}`;
  }
}

function* speed({ findings: { fromAnswer }, bound, load }: Course): Iterable<string> {
  if (fromAnswer === undefined || fromAnswer.p99 < bound) return;
  yield `From the answer to the close frame it took ${fromAnswer.p99} ms for all but one in a hundred, where it has to be under ${bound} ms; the load of the machine was ${load.toFixed(1)}.`;
}
