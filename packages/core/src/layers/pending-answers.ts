import { LayerUnavailable } from "../errors.js";
import type { Cancel, Clock } from "../ports/clock.js";

interface Question {
  readonly topic: string;
  readonly about: unknown;
  readonly deadline: number;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** What was asked of a broker and is to come back: with one timer for all, as all may take equally long. */
export class PendingAnswers {
  readonly #clock: Clock;
  readonly #timeout: number;
  /** In the order of their deadlines. */
  readonly #questions = new Map<number, Question>();
  #asked = 0;
  #cancel: Cancel | undefined;

  /** `timeout` in milliseconds, after which a question is answered by `LayerUnavailable`. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  get size(): number {
    return this.#questions.size;
  }

  /** A new question, and the promise of its answer. */
  ask<Answer>(topic = "", about?: unknown): { readonly id: number; readonly answer: Promise<Answer> } {
    const id = this.#asked++;
    const answer = new Promise<Answer>((resolve, reject) => {
      const deadline = this.#clock.now() + this.#timeout;
      this.#questions.set(id, { topic, about, deadline, resolve: resolve as Question["resolve"], reject });
    });
    this.#cancel ??= this.#clock.after(this.#timeout, () => this.#expire());
    return { id, answer };
  }

  /** What the question was about, undefined if there is none of that number. */
  about(id: number): unknown {
    return this.#questions.get(id)?.about;
  }

  answer(id: number, answer: unknown): void {
    this.#take(id)?.resolve(answer);
  }

  reject(id: number, error: unknown): void {
    this.#take(id)?.reject(error);
  }

  /** Answers all that were asked on a topic from which nothing comes back any more. */
  answerAll(topic: string, answer: unknown): void {
    for (const [id, question] of this.#questions) if (question.topic === topic) this.answer(id, answer);
  }

  rejectAll(error: unknown): void {
    for (const id of this.#questions.keys()) this.reject(id, error);
  }

  #take(id: number): Question | undefined {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    if (this.#questions.size === 0) {
      this.#cancel?.();
      this.#cancel = undefined;
    }
    return question;
  }

  #expire(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (const [id, { deadline }] of this.#questions) {
      if (deadline > now) {
        this.#cancel = this.#clock.after(deadline - now, () => this.#expire());
        return;
      }
      this.reject(id, new LayerUnavailable(`the channel layer did not answer within ${this.#timeout} ms`));
    }
  }
}
