/** The process that plays the clients of one contestant. */
import { contestantOf } from "../contestant-of.js";
import type { Sample } from "../measure/rounds.js";
import { answerQuestions } from "../processes/answer-questions.js";
import { rowOf } from "../rows/rows.js";
import { siteSecret } from "../servers/site.js";
import { Crowd } from "./crowd.js";
import { checkGate } from "./gate.js";
import type { Load } from "./load.js";
import type { Server } from "./server.js";
import { Tokens } from "./tokens.js";
import { warmUp } from "./warm-up.js";

export interface Order {
  /** By their names. */
  readonly row: string;
  readonly contestant: string;
  readonly port: number;
  readonly units: number;
  readonly at: number;
}

export type DriverSample = Omit<Sample, "cost">;

/** What the driver can be asked: for each order `prepare`, `run` and `finish`. */
export interface DriverAnswers {
  /** Makes sure that the server refuses whom it must. */
  checkGate(server: Pick<Order, "contestant" | "port">): Promise<void>;
  /** Resolves when the server has had some handshakes to do. */
  warmUp(server: Pick<Order, "contestant" | "port">): Promise<void>;
  prepare(order: Order): Promise<void>;
  run(): Promise<void>;
  finish(): Promise<DriverSample>;
}

const tokens = new Tokens(siteSecret());
let load: Load | undefined;
let crowd: Crowd | undefined;
let row: string | undefined;
let elapsed = 0;

function serverOf({ contestant, port }: Pick<Order, "contestant" | "port">): Server {
  return { port, dialect: contestantOf(contestant).dialect, tokens };
}

function current(): Load {
  if (load === undefined) throw new TypeError("expected prepare before run and finish");
  return load;
}

answerQuestions<DriverAnswers>({
  checkGate: (server) => checkGate(serverOf(server)),
  warmUp: (server) => warmUp(serverOf(server)),
  prepare: async (order) => {
    const server = serverOf(order);
    crowd ??= new Crowd(server);
    // Who is there from round to round is there for one row.
    if (order.row !== row) await crowd.become(new Map());
    row = order.row;
    load = rowOf(order.row).load({ ...server, crowd, units: order.units, at: order.at });
    await load.prepare();
  },
  run: async () => {
    const start = performance.now();
    await current().run();
    elapsed = performance.now() - start;
  },
  finish: async () => ({ ...(await current().finish()), elapsed }),
});
