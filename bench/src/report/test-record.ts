import type { Sample } from "../measure/rounds.js";
import type { Row } from "../rows/row.js";
import type { PointRecord, RunRecord } from "./record.js";

export function sample(cost: number, more: Partial<Sample> = {}): Sample {
  return { units: 100, cost, elapsed: 50, lost: 0, ...more };
}

/** A point at which one round has been played with each of these costs of a unit, in thousandths. */
export function point(at: number, costs: Readonly<Record<string, number>>): PointRecord {
  return { at, rounds: [Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, sample(cost)]))] };
}

/** A small run, of which a test changes what it is about. */
export const record: RunRecord = {
  environment: { node: "20.20.2", machine: "a machine", date: "2026-11-27T10:00:00.000Z", load: 0.5 },
  pace: "full",
  contestants: [
    { name: "sluice-uws", title: "Ours", control: "control-uws", versions: ["uws 1.0.0", "jose 2.0.0"] },
    { name: "control-uws", title: "By hand", versions: ["uws 1.0.0"] },
    { name: "channels", title: "Channels", versions: [], missing: "there is no Python" },
  ],
  rows: [
    {
      name: "handshake",
      title: "handshake with a token",
      unit: "handshake",
      resource: "cpu",
      points: [
        {
          at: 1,
          rounds: [
            { "sluice-uws": sample(11_000), "control-uws": sample(10_000) },
            { "sluice-uws": sample(12_000, { lost: 1 }), "control-uws": sample(10_000) },
            { "sluice-uws": sample(15_000), "control-uws": sample(10_000) },
          ],
        },
      ],
      failures: [],
    },
    {
      name: "idle",
      title: "idle connection",
      unit: "connection",
      resource: "memory",
      along: "connections",
      points: [
        point(1_000, { "sluice-uws": 409_600, "control-uws": 204_800 }),
        point(5_000, { "sluice-uws": 512_000 }),
      ],
      failures: [{ contestant: "control-uws", at: 5_000, words: "expected a 101, got nothing" }],
    },
  ],
};

const common = { place: "echo", points: [], unit: "", title: "", resource: "cpu" } as const;

function load(): never {
  throw new Error("nothing is measured here");
}

/** What was wanted of it. */
export const rows: readonly Row[] = [
  {
    ...common,
    name: "handshake",
    goals: [
      { to: { contestant: "control-uws" }, atMost: 1.25 },
      { to: { contestant: "channels" }, atMost: 0.5 },
      { to: { row: "idle" }, atMost: 1 },
    ],
    remark: { title: "seconds", of: ({ elapsed }) => elapsed / 1_000 },
    load,
  },
  {
    ...common,
    name: "idle",
    goals: [
      { to: "nothing", at: 5_000, atMost: 4_096 },
      { to: "first point", atMost: 1.15 },
    ],
    load,
  },
  { ...common, name: "echo", goals: [{ to: "nothing", atMost: 1 }], load },
];
