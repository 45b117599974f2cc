import type { Cancel, Clock, Logger } from "@sluice/core";
import { CommandFailure } from "../cli/failure.js";
import { backOff } from "./back-off.js";

/** A process that serves, as its supervisor sees it. */
export interface Worker {
  /** Undefined where the system could not start it. */
  readonly pid: number | undefined;
  /** Asks it to end its connections and then itself. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** What a worker tells its supervisor. */
export interface WorkerListener {
  ready(url: string): void;
  /** Called once. `cause` is its exit code, the signal that ended it, or why it was never started. */
  exited(cause: number | string): void;
}

export interface SupervisorOptions {
  readonly count: number;
  /** Starts one. Where it throws, it does not call the listener. */
  readonly fork: (listener: WorkerListener) => Worker;
  /** Its tasks have to keep the process alive: at times there is nothing else. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once, when all workers serve. */
  readonly onListening: (url: string) => void;
}

interface Slot {
  worker: Worker | undefined;
  /** What waits: for its start, or for it to serve. */
  cancelTimer: Cancel | undefined;
  startedAt: number;
  ready: boolean;
  /** In a row, each before the worker served, or soon after its start. */
  failures: number;
  /** In a row, each before the worker served. */
  failedStarts: number;
}

/** Milliseconds after which a worker's end is no consequence of its start. */
const longLife = 10_000;
/** Milliseconds that a worker may take until it serves. */
const startLimit = 30_000;
const maxFailedStarts = 5;

/**
 * Keeps a number of workers running: one that ends is replaced, the sooner the longer it has lived. Where all have served
 * once, it never gives up, as those that still serve are better than none.
 */
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
      cancelTimer: undefined,
      startedAt: 0,
      ready: false,
      failures: 0,
      failedStarts: 0,
    }));
  }

  /** Resolves when it was stopped and all workers have ended; rejects when one cannot be started at the beginning. */
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
    const { clock, fork } = this.#options;
    slot.startedAt = clock.now();
    try {
      slot.worker = fork({
        ready: (url) => this.#ready(slot, url),
        exited: (cause) => this.#exited(slot, cause),
      });
    } catch (error) {
      this.#exited(slot, error instanceof Error ? error.message : String(error));
      return;
    }
    slot.cancelTimer = clock.after(startLimit, () => this.#startTookTooLong(slot));
  }

  #startTookTooLong({ worker }: Slot): void {
    this.#options.logger.error({ worker: worker?.pid, ms: startLimit }, "a worker does not get to serve, and is ended");
    worker?.kill();
  }

  #ready(slot: Slot, url: string): void {
    slot.cancelTimer?.();
    slot.ready = true;
    slot.failedStarts = 0;
    if (this.#announced || !this.#slots.every(({ ready }) => ready)) return;
    this.#announced = true;
    this.#options.onListening(url);
  }

  #exited(slot: Slot, cause: number | string): void {
    const { clock, logger } = this.#options;
    const pid = slot.worker?.pid;
    slot.worker = undefined;
    slot.cancelTimer?.();
    if (this.#stopping) {
      this.#settle();
      return;
    }
    if (!slot.ready && ++slot.failedStarts >= maxFailedStarts && !this.#announced) {
      this.#startNoMore();
      this.kill();
      this.#end?.reject(new CommandFailure(`a worker did not start, ${maxFailedStarts} times in a row`));
      return;
    }
    const livedLong = slot.ready && clock.now() - slot.startedAt >= longLife;
    slot.failures = livedLong ? 1 : slot.failures + 1;
    slot.ready = false;
    const ms = backOff(slot.failures);
    logger.error({ worker: pid, cause, ms }, "a worker has ended, another one follows");
    slot.cancelTimer = clock.after(ms, () => this.#start(slot));
  }

  #startNoMore(): void {
    this.#stopping = true;
    for (const { cancelTimer } of this.#slots) cancelTimer?.();
  }

  #settle(): void {
    if (this.#slots.some(({ worker }) => worker !== undefined)) return;
    this.#cancelKill?.();
    this.#end?.resolve();
  }
}
