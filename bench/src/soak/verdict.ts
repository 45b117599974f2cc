import { slopeOf } from "./linear-fit.js";
import type { ServerState } from "./server.js";
import type { Figures } from "./tally.js";
import type { TransportName } from "./transports.js";

export interface Sample {
  /** Seconds since the first sample. */
  readonly at: number;
  readonly state: ServerState;
}

/** What a soak has seen. */
export interface Course {
  readonly transport: TransportName;
  /** With everybody there, over all of the run that counts. */
  readonly samples: readonly Sample[];
  /** The largest that the process was in the warm-up: RSS in bytes. */
  readonly peak: number;
  /** With nobody there: after the warm-up, and after everything. */
  readonly rest: { readonly before: ServerState; readonly after: ServerState };
  readonly figures: Figures;
}

const mebibyte = 1024 * 1024;

/** Growth of memory that may be noise: this share of what there is, or this many bytes if that is more. */
const noise = { heap: { share: 0.05, bytes: 4 * mebibyte }, rss: { share: 0.25, bytes: 64 * mebibyte } } as const;

/** WebSockets lost right after their 101, of all visits, that are borne: uWebSockets.js has a fault. */
const bearableLosses: Readonly<Record<TransportName, number>> = { uws: 0.01, node: 0 };

export interface Growth {
  /** Bytes. */
  readonly grown: number;
  readonly bound: number;
}

export interface Verdict {
  /** What a leak would show in: bytes of growth, each with its bound. */
  readonly growth: { readonly heapUnderLoad: Growth; readonly heapAtRest: Growth; readonly rss: Growth };
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
}

export function judge({ transport, samples, peak, rest, figures }: Course): Verdict {
  const growth = {
    heapUnderLoad: growthUnderLoad(samples),
    heapAtRest: growthOf(rest.before.heap, rest.after.heap, noise.heap),
    // Not compared with an earlier rest: when V8 and the allocator give back what they do not need is up to them.
    rss: growthOf(peak, rest.after.rss, noise.rss),
  };
  return {
    growth,
    faults: [
      ...leftovers(rest.after),
      ...growthFaults(growth),
      ...misdeeds(rest.after, figures, bearableLosses[transport]),
    ],
  };
}

/** By the line that is nearest to all samples, since any two of them differ by chance. */
function growthUnderLoad(samples: readonly Sample[]): Growth {
  const points = samples.map(({ at, state }) => ({ x: at, y: state.heap }));
  const span = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
  const mean = points.reduce((sum, { y }) => sum + y, 0) / Math.max(points.length, 1);
  return { grown: slopeOf(points) * span, bound: Math.max(mean * noise.heap.share, noise.heap.bytes) };
}

function growthOf(before: number, after: number, { share, bytes }: { share: number; bytes: number }): Growth {
  return { grown: after - before, bound: Math.max(before * share, bytes) };
}

function* growthFaults({ heapUnderLoad, heapAtRest, rss }: Verdict["growth"]): Iterable<string> {
  const told = ({ grown, bound }: Growth): string => `by ${inMebibytes(grown)}; up to ${inMebibytes(bound)} is noise`;
  const tooMuch = ({ grown, bound }: Growth): boolean => !(grown <= bound);
  if (tooMuch(heapUnderLoad)) yield `The heap grew under a load that stayed the same, ${told(heapUnderLoad)}.`;
  if (tooMuch(heapAtRest)) yield `The heap was larger after all clients had left than before, ${told(heapAtRest)}.`;
  if (tooMuch(rss)) yield `With nobody there the process was larger than in the warm-up with everybody, ${told(rss)}.`;
}

function* leftovers({ connections, channels, groups, members }: ServerState): Iterable<string> {
  const { http, websocket } = connections;
  if (http + websocket > 0) {
    yield `All clients had left, but the server counted ${websocket} WebSockets and ${http} requests.`;
  }
  if (channels + groups + members > 0) {
    yield `All clients had left, but the layer kept ${members} group members, ${channels} channels and ${groups} groups.`;
  }
}

function* misdeeds(
  { failures }: ServerState,
  { visits, lost, errors, examples }: Figures,
  bearable: number,
): Iterable<string> {
  const sum = (numbers: Readonly<Record<string, number>>): number => Object.values(numbers).reduce((a, b) => a + b, 0);
  if (failures.unplanned > 0) {
    yield `The server logged ${failures.unplanned} errors that nobody had planned, such as: ${failures.examples[0]}`;
  }
  if (sum(errors) > 0) {
    yield `${sum(errors)} visits did not go as they should (${JSON.stringify(errors)}), such as ${examples[0]}.`;
  }
  if (lost > sum(visits) * bearable) yield `${lost} WebSockets were lost right after their 101.`;
}

export function inMebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
