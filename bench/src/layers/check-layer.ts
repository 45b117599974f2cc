import { loadavg } from "node:os";
import type { KeeperAnswers } from "../checks/keeper.js";
import type { LayerName } from "../checks/layers.js";
import type { CheckContext } from "../checks/run-check.js";
import { withBroker } from "../checks/with-broker.js";
import { now, pause } from "../measure/now.js";
import type { Child } from "../processes/child.js";
import type { Children } from "../processes/children.js";
import type { Options } from "./arguments.js";
import type { CheckClientAnswers, Progress } from "./client.js";
import { type Disturbance, disturb } from "./disturbance.js";
import type { CheckServerAnswers, ServerState } from "./server.js";
import type { Course } from "./verdict.js";

/** Milliseconds a process has for an answer: that of the clients who join is the longest. */
const timeLimit = 120_000;

/** Milliseconds without anything new after which what is missing will not come any more. */
const patience = 10_000;

/** Milliseconds in which something may come a second time after everything has come once. */
const aftermath = 1_000;

/** Milliseconds between two looks. */
const every = 200;

/** Publishes that come before the first disturbance, of all that are planned; a second one comes at twice the share. */
const shareBefore = 1 / 3;

export type CheckOptions = Options & CheckContext;

/** Resolves with what was seen. No process is left when this settles. Rejects if one of them dies. */
export function checkLayer(layer: LayerName, options: CheckOptions): Promise<Course> {
  return withBroker(layer, { ...options, timeLimit }, ({ children, keeper }) =>
    new Run(layer, options, children, keeper).course(),
  );
}

class Run {
  readonly #layer: LayerName;
  readonly #options: CheckOptions;
  readonly #children: Children;
  readonly #keeper: Child<KeeperAnswers> | undefined;

  constructor(layer: LayerName, options: CheckOptions, children: Children, keeper: Child<KeeperAnswers> | undefined) {
    this.#layer = layer;
    this.#options = options;
    this.#children = children;
    this.#keeper = keeper;
  }

  async course(): Promise<Course> {
    const { sockets, groups, deliveries, kill, freeze, rate } = this.#options;
    const servers = await this.#startServers();
    const client = await this.#children.start<CheckClientAnswers>(
      "the clients",
      new URL("./client.js", import.meta.url),
    );
    const ports = await Promise.all(servers.map((server) => server.ask("port")));
    const stuck = await client.ask("join", { sockets, groups, ports });
    this.#tell(`${sockets} sockets are in ${groups} groups on ${ports.length} servers.`);
    const states = (): Promise<ServerState[]> => Promise.all(servers.map((server) => server.ask("state")));
    const before = await states();

    const publishes = Math.ceil(deliveries / (sockets / groups));
    const began = now();
    await client.ask("talk", { rate, publishes, held: kill || freeze });
    const disturbances: Disturbance[] = [];
    for (const kind of [...(kill ? ["kill" as const] : []), ...(freeze ? ["freeze" as const] : [])]) {
      const enough = publishes * shareBefore * (disturbances.length + 1);
      await this.#follow(client, ({ confirmed }) => confirmed >= enough);
      if (this.#keeper === undefined) throw new TypeError("expected a server that was started here");
      this.#tell(`the server goes (${kind}).`);
      disturbances.push(await disturb(kind, { keeper: this.#keeper, client, servers, ports }));
      this.#tell("the server is back.");
    }
    await client.ask("release");
    await this.#follow(client, ({ talking }) => !talking);
    await this.#complete(client);
    return {
      layer: this.#layer,
      publishes,
      findings: await client.ask("findings"),
      latency: await client.ask("latency"),
      seconds: (now() - began) / 1_000,
      load: loadavg()[0] ?? 0,
      ends: await client.ask("ends"),
      before,
      after: await states(),
      // Each is asked by another process than its own.
      stuckAreFull: await Promise.all(
        stuck.map(async (channel, index) => servers.at(index - 1)?.ask("isFull", channel)),
      ),
      disturbances,
    };
  }

  #startServers(): Promise<Child<CheckServerAnswers>[]> {
    const module = new URL("./server.js", import.meta.url);
    const numbers = Array.from({ length: this.#options.servers }, (_, index) => index);
    return Promise.all(numbers.map((number) => this.#children.start<CheckServerAnswers>(`server ${number}`, module)));
  }

  /** Resolves when `over` says so, or when nothing moves any more. */
  async #follow(client: Child<CheckClientAnswers>, over: (progress: Progress) => boolean): Promise<void> {
    let progress = await client.ask("progress");
    let moved = now();
    let told = now();
    while (!over(progress) && now() < moved + patience) {
      await pause(every);
      const next = await client.ask("progress");
      if (next.heard !== progress.heard || next.rejected !== progress.rejected) moved = now();
      progress = next;
      if (now() < told + 2_000) continue;
      told = now();
      const { said, confirmed, rejected, heard } = progress;
      this.#tell(`${said} said, ${confirmed} confirmed, ${rejected} rejected, ${heard} deliveries.`);
    }
  }

  /** Resolves when everything has come, or surely will not come. */
  async #complete(client: Child<CheckClientAnswers>): Promise<void> {
    let { hung, lost, deliveries } = await client.ask("findings");
    let moved = now();
    while (hung + lost > 0 && now() < moved + patience) {
      await pause(every);
      const before = deliveries - hung;
      ({ hung, lost, deliveries } = await client.ask("findings"));
      if (deliveries - hung !== before) moved = now();
    }
    await pause(aftermath);
  }

  #tell(line: string): void {
    this.#options.tell(`${this.#layer}: ${line}`);
  }
}
