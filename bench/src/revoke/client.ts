/** The process of a check that plays the clients. */
import { answerQuestions } from "../processes/answer-questions.js";
import type { Findings } from "./closures.js";
import { Crowd, type CrowdOptions } from "./crowd.js";

export interface Progress {
  readonly closed: number;
  readonly revoking: boolean;
}

export interface CheckClientAnswers {
  /** Resolves when all clients are members of the group. */
  join(options: CrowdOptions): Promise<void>;
  /** Begins to revoke, that many tokens per second. */
  revoke(rate: number): void;
  progress(): Progress;
  findings(): Findings;
  /** Why revocations were not answered as they should be. */
  failures(): readonly string[];
}

let crowd: Crowd | undefined;

function current(): Crowd {
  if (crowd === undefined) throw new TypeError("expected join before everything else");
  return crowd;
}

answerQuestions<CheckClientAnswers>({
  join: (options) => {
    crowd = new Crowd(options);
    return crowd.join();
  },
  revoke: (rate) => current().revoke(rate),
  progress: () => ({ closed: current().closures.size, revoking: current().revoking }),
  findings: () => current().closures.findings(),
  failures: () => current().failures,
});
