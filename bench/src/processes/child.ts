import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answers, Question, Reply } from "./answer-questions.js";

export interface ChildOptions {
  /** On top of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** For Node.js, behind those of this process. */
  readonly flags?: readonly string[];
  /** Milliseconds that the start and every answer may take. */
  readonly timeLimit: number;
}

/** Milliseconds a child has to end by itself. */
const grace = 2_000;

/** In characters: what is kept of what a child printed. */
const lastWordsLength = 2_000;

interface Waiting {
  readonly what: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A process of ours that answers one question at a time: see `answerQuestions`. It never outlives this one. */
export class Child<Table extends Answers<Table>> {
  readonly name: string;
  /** Settles when the child can be asked. */
  readonly ready: Promise<void>;
  readonly #process: ChildProcess;
  readonly #timeLimit: number;
  readonly #gone: Promise<void>;
  #waiting: Waiting | undefined;
  #fate: string | undefined;
  #lastWords = "";

  constructor(name: string, module: URL, { env = {}, flags = [], timeLimit }: ChildOptions) {
    this.name = name;
    this.#timeLimit = timeLimit;
    this.#process = fork(fileURLToPath(module), {
      env: { ...process.env, ...env },
      ...(flags.length > 0 && { execArgv: [...process.execArgv, ...flags] }),
      silent: true,
    });
    const keep = (text: string): void => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsLength);
    };
    this.#process.stdout?.setEncoding("utf8").on("data", keep);
    this.#process.stderr?.setEncoding("utf8").on("data", keep);
    this.#process.on("message", (reply: Reply) => this.#replied(reply));
    this.#gone = new Promise((resolve) => {
      const end = (fate: string): void => {
        this.#fate ??= fate;
        this.#waiting?.reject(this.#ended(this.#waiting.what));
        resolve();
      };
      this.#process.once("error", (error) => end(`could not be started: ${error.message}`));
      this.#process.once("close", (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
    });
    this.ready = this.#wait("to be ready").then(() => {});
  }

  /** Rejects with what the function throws in the child, and if the child ends or takes too long. */
  ask<Name extends keyof Table & string>(
    name: Name,
    ...[argument]: Parameters<Table[Name]>
  ): Promise<Awaited<ReturnType<Table[Name]>>> {
    const question: Question = { question: name, argument };
    const answer = this.#wait(`to answer "${name}"`);
    // A channel that is closed needs no report of its own: the end of the process is one.
    if (this.#process.connected) this.#process.send(question, () => {});
    return answer as Promise<Awaited<ReturnType<Table[Name]>>>;
  }

  /** Asks it to end, and ends it if it does not. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#process.kill();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), grace);
    await this.#gone;
    clearTimeout(timer);
  }

  #wait(what: string): Promise<unknown> {
    if (this.#fate !== undefined) return Promise.reject(this.#ended(what));
    if (this.#waiting !== undefined) {
      return Promise.reject(new TypeError(`expected one question at a time, got one while ${this.name} was ${what}`));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiting.reject(new Error(`expected ${this.name} ${what} within ${this.#timeLimit} ms, got nothing`)),
        this.#timeLimit,
      );
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
      };
      const waiting: Waiting = {
        what,
        resolve: (value) => {
          over();
          resolve(value);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      };
      this.#waiting = waiting;
    });
  }

  #replied(reply: Reply): void {
    if ("error" in reply) this.#waiting?.reject(new Error(reply.error));
    else this.#waiting?.resolve(reply.value);
  }

  #ended(what: string): Error {
    const words = this.#lastWords.trim();
    return new Error(`expected ${this.name} ${what}, but it ${this.#fate}${words === "" ? "" : `, saying: ${words}`}`);
  }
}
