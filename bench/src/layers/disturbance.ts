import type { KeeperAnswers } from "../checks/keeper.js";
import { now, pause } from "../measure/now.js";
import type { Child } from "../processes/child.js";
import type { CheckClientAnswers } from "./client.js";
import type { Resumption } from "./crossings.js";
import { type Health, whileAsking } from "./health.js";
import type { CheckServerAnswers } from "./server.js";

export type DisturbanceKind = "kill" | "freeze";

/** What became of a run while the server of its layer was away. Moments are those of `now()`. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly from: number;
  /** When the server was ready again. */
  readonly until: number;
  /** Counted from there; undefined if it did not resume while anybody waited. */
  readonly resumed: Resumption | undefined;
  /** Of the servers' HTTP route meanwhile. */
  readonly health: Health;
  /** The largest that a process of the servers was meanwhile: RSS in bytes. */
  readonly largest: number;
}

interface Stage {
  readonly keeper: Child<KeeperAnswers>;
  readonly client: Child<CheckClientAnswers>;
  readonly servers: readonly Child<CheckServerAnswers>[];
  readonly ports: readonly number[];
}

/** Milliseconds that the server is away: with a kill, its own start comes on top. */
const absence = { kill: 2_000, freeze: 5_000 } as const;

/** Milliseconds after which nothing is under way any more from before. */
const calm = 300;

/** Milliseconds that delivery has to resume, before this gives up: much longer than it may take. */
const patience = 15_000;

/** Takes the layer's server away under the load, brings it back, and waits until everybody hears everybody again. */
export async function disturb(kind: DisturbanceKind, stage: Stage): Promise<Disturbance> {
  const from = now();
  const { value, health } = await whileAsking(stage.ports, absent(kind, stage));
  return { kind, from, health, ...value };
}

async function absent(kind: DisturbanceKind, stage: Stage): Promise<Omit<Disturbance, "kind" | "from" | "health">> {
  const { keeper, client } = stage;
  await keeper.ask(kind);
  await pause(calm);
  await client.ask("watch");
  await pause(absence[kind] - calm);
  let largest = await largestOf(stage);
  const until = await keeper.ask(kind === "kill" ? "restart" : "thaw");
  let resumed: Resumption | undefined;
  while (resumed === undefined && now() < until + patience) {
    await pause(50);
    resumed = await client.ask("resumption", until);
    largest = Math.max(largest, await largestOf(stage));
  }
  return { until, resumed, largest };
}

async function largestOf({ servers }: Stage): Promise<number> {
  return Math.max(...(await Promise.all(servers.map((server) => server.ask("size")))));
}
