import type { Cancel, Clock, Logger } from "@sluice/core";
import { CommandFailure } from "../cli/failure.js";
import { backOff } from "./back-off.js";

/** A process that serves, as its supervisor sees it. */
export interface Worker {
  readonly pid: number;
  /** Asks it to end its connections and then itself. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** What a worker tells its supervisor. */
export interface WorkerListener {
  ready(url: string): void;
  /** Called once. `cause` is its exit code, or the signal that ended it. */
  exited(cause: number | string): void;
}

export interface SupervisorOptions {
  readonly count: number;
  readonly fork: (listener: WorkerListener) => Worker;
  /** Its tasks have to keep the process alive: at times there is nothing else. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once, when all workers serve. */
  readonly onListening: (url: string) => void;
}

interface Slot {
  worker: Worker | undefined;
  cancelStart: Cancel | undefined;
  startedAt: number;
  ready: boolean;
  /** In a row, each soon after its start. */
  failures: number;
  /** In a row, each before the worker served. */
  failedStarts: number;
}

/** Milliseconds after which a worker's end is no consequence of its start. */
const longLife = 10_000;
const maxFailedStarts = 5;

/** Keeps a number of workers running: one that ends is replaced, the sooner the longer it has lived. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  #announced = false;
  #stopping = false;
  #cancelKill: Cancel | undefined;
  #end: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.count }, () => ({
      worker: undefined,
      cancelStart: undefined,
      startedAt: 0,
      ready: false,
      failures: 0,
      failedStarts: 0,
    }));
  }

  /** Resolves when it was stopped and all workers have ended; rejects when one cannot be started. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end = { resolve, reject };
      for (const slot of this.#slots) this.#start(slot);
    });
  }

  /** Asks all workers to stop; those that are left after `deadline` milliseconds are ended. */
  stop(deadline: number): void {
    this.#startNoMore();
    for (const { worker } of this.#slots) worker?.stop();
    this.#cancelKill = this.#options.clock.after(deadline, () => this.kill());
    this.#settle();
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const { worker } of this.#slots) worker?.kill();
  }

  #start(slot: Slot): void {
    slot.startedAt = this.#options.clock.now();
    slot.worker = this.#options.fork({
      ready: (url) => this.#ready(slot, url),
      exited: (cause) => this.#exited(slot, cause),
    });
  }

  #ready(slot: Slot, url: string): void {
    slot.ready = true;
    slot.failedStarts = 0;
    if (this.#announced || !this.#slots.every(({ ready }) => ready)) return;
    this.#announced = true;
    this.#options.onListening(url);
  }

  #exited(slot: Slot, cause: number | string): void {
    const pid = slot.worker?.pid;
    slot.worker = undefined;
    if (this.#stopping) {
      this.#settle();
      return;
    }
    if (!slot.ready && ++slot.failedStarts >= maxFailedStarts) {
      this.#startNoMore();
      this.kill();
      this.#end?.reject(new CommandFailure(`a worker did not start, ${maxFailedStarts} times in a row`));
      return;
    }
    slot.ready = false;
    const { clock, logger } = this.#options;
    slot.failures = clock.now() - slot.startedAt >= longLife ? 1 : slot.failures + 1;
    const ms = backOff(slot.failures);
    logger.error({ worker: pid, cause, ms }, "a worker has ended, another one follows");
    slot.cancelStart = clock.after(ms, () => this.#start(slot));
  }

  #startNoMore(): void {
    this.#stopping = true;
    for (const { cancelStart } of this.#slots) cancelStart?.();
  }

  #settle(): void {
    if (this.#slots.some(({ worker }) => worker !== undefined)) return;
    this.#cancelKill?.();
    this.#end?.resolve();
  }
}
