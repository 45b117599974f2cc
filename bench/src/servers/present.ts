import { answerQuestions } from "../processes/answer-questions.js";
import { type ProcessFigures, thisProcess } from "./process-figures.js";

/** What a contestant's process can be asked. */
export interface ServerAnswers {
  port(): number;
  /** The process that serves, which need not be the one that is asked. */
  pid(): number;
  /** Microseconds that the server has had of the processor, all its threads together. */
  cpu(): number;
  /** Bytes of the server that are resident in memory, as `ProcessFigures` has them. */
  memory(): number | Promise<number>;
}

/** Makes a server that listens on `port` of 127.0.0.1 take part: this process, if no other is named. */
export function present(port: number, { pid, cpu, memory }: ProcessFigures = thisProcess): void {
  answerQuestions<ServerAnswers>({ port: () => port, pid: () => pid, cpu, memory });
}
