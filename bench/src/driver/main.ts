/** The process that plays the clients. */
import type { MeasureName } from "../measure/measures.js";
import { answerQuestions } from "../processes/answer-questions.js";
import { siteSecret } from "../servers/site.js";
import { EchoLoad } from "./echo-load.js";
import { checkGate } from "./gate.js";
import { HandshakeLoad } from "./handshake-load.js";
import type { Load } from "./load.js";
import { ReconnectLoad } from "./reconnect-load.js";
import { Tokens } from "./tokens.js";

export interface Order {
  readonly measure: MeasureName;
  readonly port: number;
  readonly units: number;
}

/** What the driver can be asked: for each order `prepare`, `run` and `finish`. */
export interface DriverAnswers {
  /** Makes sure that the server on the port refuses whom it must. */
  checkGate(port: number): Promise<void>;
  /** Resolves with the number of units that `run` will do. */
  prepare(order: Order): Promise<number>;
  /** Resolves with the milliseconds that it took. */
  run(): Promise<number>;
  /** Resolves with the number of WebSockets that the server had closed before, unasked. */
  finish(): Promise<number>;
}

const loads: Readonly<Record<MeasureName, new (port: number, units: number, tokens: Tokens) => Load>> = {
  handshake: HandshakeLoad,
  reconnect: ReconnectLoad,
  echo: EchoLoad,
};

const tokens = new Tokens(siteSecret());
let load: Load | undefined;

function current(): Load {
  if (load === undefined) throw new TypeError("expected prepare before run and finish");
  return load;
}

answerQuestions<DriverAnswers>({
  checkGate: (port) => checkGate(port, tokens),
  prepare: async ({ measure, port, units }) => {
    load = new loads[measure](port, units, tokens);
    await load.prepare();
    return load.units;
  },
  run: async () => {
    const start = performance.now();
    await current().run();
    return performance.now() - start;
  },
  finish: () => current().finish(),
});
