import { answerQuestions } from "../processes/answer-questions.js";

/** What a contestant's process can be asked. */
export interface ServerAnswers {
  port(): number;
  /** Microseconds that the process has had of the processor, all its threads together (getrusage(2)). */
  cpu(): number;
}

/** Makes a server that listens on `port` of 127.0.0.1 take part. */
export function present(port: number): void {
  answerQuestions<ServerAnswers>({
    port: () => port,
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  });
}
