import type { Child } from "../processes/child.js";
import { Children } from "../processes/children.js";
import type { Options } from "./arguments.js";
import type { SoakClientAnswers } from "./client.js";
import { untilIdle } from "./idle.js";
import type { ServerState, SoakServerAnswers } from "./server.js";
import { leakVariable, transportVariable } from "./variables.js";
import { type Course, inMebibytes, type Sample } from "./verdict.js";

/** The share of the time in which the server's code is compiled and its buffers find their size; it does not count. */
const warmUp = 0.2;

/** Milliseconds a process has for an answer: clients that wait for something give up long before. */
const timeLimit = 180_000;

/** Milliseconds between two samples, each of which is a line of the report, and their number in a short run. */
const sampling = { every: 10_000, atLeast: 12 } as const;

export interface SoakOptions extends Options {
  /** Told what happens meanwhile. */
  readonly tell: (line: string) => void;
  /** Ends the run early: it rejects then. */
  readonly signal: AbortSignal;
}

/** Resolves with what was seen. No process is left when this settles. Rejects if one of them dies. */
export async function soak(options: SoakOptions): Promise<Course> {
  const { signal, transport, leak } = options;
  const env = { [transportVariable]: transport, [leakVariable]: leak ?? "" };
  const children = new Children({ env, timeLimit });
  const abort = (): void => void children.end();
  signal.addEventListener("abort", abort);
  try {
    const server = await children.start<SoakServerAnswers>("the server", new URL("./server.js", import.meta.url));
    const client = await children.start<SoakClientAnswers>("the client", new URL("./client.js", import.meta.url));
    return await new Run(server, client, await server.ask("port"), options).course();
  } finally {
    signal.removeEventListener("abort", abort);
    await children.end();
  }
}

class Run {
  readonly #server: Child<SoakServerAnswers>;
  readonly #client: Child<SoakClientAnswers>;
  readonly #port: number;
  readonly #options: SoakOptions;
  readonly #began = performance.now();

  constructor(server: Child<SoakServerAnswers>, client: Child<SoakClientAnswers>, port: number, options: SoakOptions) {
    this.#server = server;
    this.#client = client;
    this.#port = port;
    this.#options = options;
  }

  async course(): Promise<Course> {
    const { minutes, seed, transport } = this.#options;
    const time = minutes * 60_000;
    const warm = await this.#play(seed, time * warmUp);
    const peak = Math.max(...warm.map(({ state }) => state.rss));
    const before = await this.#rest("after the warm-up");
    const samples = await this.#play(seed + 1, time * (1 - warmUp));
    const after = await this.#rest("at the end");
    return { transport, samples, peak, rest: { before, after }, figures: await this.#client.ask("figures") };
  }

  /** Lets the clients come, do what they do for `ms` milliseconds, and leave. */
  async #play(seed: number, ms: number): Promise<Sample[]> {
    const { connections, tell } = this.#options;
    tell(`${connections} connections come.`);
    await this.#client.ask("arrive", { port: this.#port, connections, seed });
    const start = performance.now();
    const every = Math.min(sampling.every, ms / sampling.atLeast);
    const samples: Sample[] = [];
    for (let now = start; now < start + ms; now = performance.now()) {
      samples.push({ at: (now - start) / 1000, state: await this.#look() });
      const next = Math.min(start + every * samples.length, start + ms);
      await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    }
    tell("All connections leave.");
    await this.#client.ask("leave");
    return samples;
  }

  async #rest(when: string): Promise<ServerState> {
    const state = await untilIdle(() => this.#server.ask("state"));
    this.#tell(state, `at rest ${when}`);
    return state;
  }

  async #look(): Promise<ServerState> {
    const state = await this.#server.ask("state");
    const { messages, lost, errors } = await this.#client.ask("figures");
    this.#tell(
      state,
      `${messages} messages, ${state.failures.planned} crashes, ${lost} lost, errors ${JSON.stringify(errors)}`,
    );
    return state;
  }

  #tell({ heap, rss, connections, members }: ServerState, what: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0).padStart(4);
    const { http, websocket } = connections;
    this.#options.tell(
      `${seconds} s: ${websocket} WebSockets, ${http} requests, ${members} members, ` +
        `heap ${inMebibytes(heap)}, RSS ${inMebibytes(rss)}; ${what}`,
    );
  }
}
