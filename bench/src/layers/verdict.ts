import type { LayerName } from "../checks/layers.js";
import type { Spread } from "../measure/percentile.js";
import { inMebibytes } from "../soak/verdict.js";
import type { Disturbance } from "./disturbance.js";
import type { Findings } from "./findings.js";
import type { ServerState } from "./server.js";

/** What a check of one layer has seen. */
export interface Course {
  readonly layer: LayerName;
  /** How many were to be confirmed. */
  readonly publishes: number;
  readonly findings: Findings;
  /** From publish to delivery, between two processes. */
  readonly latency: Spread | undefined;
  /** From the first publish to the last delivery. */
  readonly seconds: number;
  /** How many processes of the whole machine wanted to run, on average over a minute. */
  readonly load: number;
  /** How connections have ended that were not to end. */
  readonly ends: readonly string[];
  /** Of each server: when all clients had come, and when they had heard everything. */
  readonly before: readonly ServerState[];
  readonly after: readonly ServerState[];
  /** Of the consumer on each server that never reads: whether its channel is full. */
  readonly stuckAreFull: readonly (boolean | undefined)[];
  readonly disturbances: readonly Disturbance[];
}

const mebibyte = 1024 * 1024;

/** The most that a channel holds, and the message that its consumer is at. */
const stuckHolds = 101;

/** Milliseconds. A layer waits for two seconds before it gives a publish up. */
const longest = { resumption: 2_000, rejection: 3_000, health: 2_000 } as const;

/** Bytes by which a server may grow. Code is compiled and buffers find their size meanwhile, and V8 takes its time to give back. */
const growth = { heap: 8 * mebibyte, rss: 96 * mebibyte } as const;

/** What is wrong, a sentence each. */
export function judge(course: Course): string[] {
  const { findings, ends, publishes, disturbances } = course;
  return [
    ...delivery(findings),
    ...(findings.confirmed < publishes
      ? [`${findings.confirmed} publishes were confirmed, where ${publishes} were to be.`]
      : []),
    ...(disturbances.length === 0 ? calm(findings) : []),
    ...ends.map((end) => `A connection did not stay: ${end}.`),
    ...neighbours(course),
    ...servers(course),
    ...disturbances.flatMap((disturbance) => [...absence(disturbance, course)]),
  ];
}

function* delivery({ lost, twice, disordered, strayed, hung, gaps, examples }: Findings): Iterable<string> {
  const suchAs = examples.length === 0 ? "" : ` Such as: ${examples.join("; ")}.`;
  if (lost > 0) yield `${lost} deliveries were lost, and no gap was told of.${suchAs}`;
  if (twice > 0) yield `${twice} messages came twice.${suchAs}`;
  if (disordered > 0) yield `${disordered} messages came after what their sender had said later.${suchAs}`;
  if (strayed > 0) yield `${strayed} messages came that nobody had said in the group.${suchAs}`;
  if (hung > 0) yield `Of ${hung} publishes nobody knows what became of them.`;
  if (gaps.full + gaps.expired > 0) {
    yield `${gaps.full} channels of members that read were full, and ${gaps.expired} let messages expire.`;
  }
}

/** While the layer's server is there nothing may be refused or missing. */
function* calm({ rejected, reported, gaps }: Findings): Iterable<string> {
  if (rejected > 0) yield `${rejected} publishes were rejected though nothing had happened to the layer's server.`;
  if (gaps.unavailable > 0) {
    yield `${gaps.unavailable} gaps and ${reported} losses though nothing had happened to the layer's server.`;
  }
}

/** The consumers that never read are dropped, and they alone: others would be told by a gap. */
function* neighbours({ findings: { said, confirmed }, after, stuckAreFull, disturbances }: Course): Iterable<string> {
  const most = Math.max(said - stuckHolds, 0);
  const least = disturbances.length > 0 ? Math.min(most, 1) : Math.max(confirmed - stuckHolds, 0);
  for (const [index, { dropped }] of after.entries()) {
    if (dropped >= least && dropped <= most) continue;
    yield `Server ${index} dropped ${dropped} messages for its consumer that never reads, where ${least} to ${most} were to be.`;
  }
  for (const [index, full] of stuckAreFull.entries()) {
    if (full !== true)
      yield `A send to the consumer on server ${index} that never reads did not reject with ChannelFull.`;
  }
}

function* servers({ before, after, disturbances }: Course): Iterable<string> {
  for (const [index, state] of after.entries()) {
    const { heap, rss } = before[index] ?? state;
    const { unplanned, examples } = state.failures;
    if (unplanned > 0) yield `Server ${index} logged ${unplanned} errors, such as: ${examples[0]}`;
    if (state.heap > heap + growth.heap) {
      yield `The heap of server ${index} grew by ${inMebibytes(state.heap - heap)}; up to ${inMebibytes(growth.heap)} is noise.`;
    }
    const largest = Math.max(state.rss, ...disturbances.map((each) => each.largest));
    if (largest > rss + growth.rss) {
      yield `Server ${index} grew by ${inMebibytes(largest - rss)} of RSS; up to ${inMebibytes(growth.rss)} is noise.`;
    }
  }
}

function* absence({ kind, from, until, resumed, health }: Disturbance, { findings, load }: Course): Iterable<string> {
  const when = `After the ${kind}`;
  const busy = `the load of the machine was ${load.toFixed(1)}`;
  if (resumed === undefined) yield `${when} delivery did not resume.`;
  else if (resumed.last > longest.resumption) {
    yield `${when} it took ${resumed.last} ms until all servers heard all servers, where ${longest.resumption} are allowed; ${busy}.`;
  }
  const rejections = findings.rejections.filter(({ began }) => began >= from - longest.rejection && began <= until);
  if (rejections.length === 0) yield `${when} no publish was rejected: was the server away at all?`;
  const slowest = Math.max(0, ...findings.rejections.map(({ began, ended }) => ended - began));
  if (slowest > longest.rejection) {
    yield `A publish was rejected after ${slowest.toFixed(0)} ms only, where ${longest.rejection} are allowed; ${busy}.`;
  }
  if (health.failed > 0 || !(health.slowest <= longest.health)) {
    yield `During the ${kind} HTTP requests had no answer within ${longest.health} ms: ${health.failed} of ${health.asked} failed, the slowest took ${health.slowest} ms; ${busy}.`;
  }
}
