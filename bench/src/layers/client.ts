/** The process of a check that plays the clients. */

import { type Spread, spreadOf } from "../measure/percentile.js";
import { answerQuestions } from "../processes/answer-questions.js";
import type { Resumption } from "./crossings.js";
import { Crowd, type CrowdOptions } from "./crowd.js";
import type { Findings } from "./findings.js";

export interface Talk {
  /** Per second. */
  readonly rate: number;
  /** How many publishes have to be confirmed. */
  readonly publishes: number;
  /** Whether it goes on after that, until `release` is called. */
  readonly held: boolean;
}

export interface Progress {
  readonly said: number;
  readonly confirmed: number;
  readonly rejected: number;
  readonly heard: number;
  readonly talking: boolean;
}

export interface CheckClientAnswers {
  /** Resolves when all clients are members of their groups, with the channels of those that are stuck. */
  join(options: CrowdOptions): Promise<readonly string[]>;
  talk(talk: Talk): void;
  release(): void;
  progress(): Progress;
  /** Forgets what has gone from server to server, and notes it from now on. */
  watch(): void;
  resumption(after: number): Resumption | undefined;
  findings(): Findings;
  /** From publish to delivery, between two processes. */
  latency(): Spread | undefined;
  /** How connections have ended that were not to end. */
  ends(): readonly string[];
}

let crowd: Crowd | undefined;
let held = false;

function current(): Crowd {
  if (crowd === undefined) throw new TypeError("expected join before everything else");
  return crowd;
}

answerQuestions<CheckClientAnswers>({
  join: (options) => {
    crowd = new Crowd(options);
    return crowd.join();
  },
  talk: (talk) => {
    held = talk.held;
    const { ledger } = current();
    current().talk(talk.rate, () => held || ledger.counts.said - ledger.counts.rejected < talk.publishes);
  },
  release: () => {
    held = false;
  },
  progress: () => ({ ...current().ledger.counts, talking: current().talking }),
  watch: () => current().crossings.watch(),
  resumption: (after) => current().crossings.resumption(after),
  findings: () => current().ledger.findings(),
  latency: () => spreadOf(current().ledger.latencies),
  ends: () => current().ends,
});
