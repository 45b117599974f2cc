import { type Cancel, type Clock, longestTimer } from "../ports/clock.js";

/** Something to be done at a time. In one {@link Schedule} at most. */
export abstract class Task {
  /** Milliseconds since 1970. The schedule's own, as is `slot`. */
  at: number = Number.POSITIVE_INFINITY;
  slot = -1;

  abstract due(): void;
}

/** A task that calls a function. */
export class Alarm extends Task {
  readonly #ring: () => void;

  constructor(ring: () => void) {
    super();
    this.#ring = ring;
  }

  override due(): void {
    this.#ring();
  }
}

/**
 * Does any number of tasks at their times, with one timer. A binary heap, in which each task knows its slot: a task that
 * is taken out before its time, as most are, leaves nothing behind.
 */
export class Schedule {
  readonly #clock: Clock;
  readonly #heap: Task[] = [];
  #cancel: Cancel | undefined;
  #armedFor: number = Number.POSITIVE_INFINITY;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Puts a task in, or to another time. One that is due at once is done by the timer too; one at infinity never. */
  set(task: Task, at: number): void {
    if (at === Number.POSITIVE_INFINITY) {
      this.remove(task);
      return;
    }
    task.at = at;
    if (task.slot === -1) task.slot = this.#heap.push(task) - 1;
    this.#rise(task);
    this.#sink(task);
    this.#arm();
  }

  remove(task: Task): void {
    const { slot } = task;
    if (slot === -1) return;
    task.slot = -1;
    task.at = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop() as Task;
    if (last !== task) {
      this.#place(last, slot);
      this.#rise(last);
      this.#sink(last);
    }
    this.#arm();
  }

  clear(): void {
    for (const task of this.#heap.splice(0)) {
      task.slot = -1;
      task.at = Number.POSITIVE_INFINITY;
    }
    this.#arm();
  }

  /** A timer that comes too early is left: it costs less to look once more than to set it anew at each removal. */
  #arm(): void {
    if (this.#running) return;
    const first = this.#heap[0];
    if (first !== undefined && first.at >= this.#armedFor) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    if (first === undefined) return;
    const wait = Math.min(Math.max(0, first.at - this.#clock.now()), longestTimer);
    this.#armedFor = first.at;
    this.#cancel = this.#clock.after(wait, () => this.#run());
  }

  #run(): void {
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#running = true;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.remove(first);
      first.due();
    }
    this.#running = false;
    this.#arm();
  }

  #place(task: Task, slot: number): void {
    this.#heap[slot] = task;
    task.slot = slot;
  }

  #rise(task: Task): void {
    while (task.slot > 0) {
      const parent = this.#heap[(task.slot - 1) >> 1] as Task;
      if (parent.at <= task.at) return;
      this.#swap(task, parent);
    }
  }

  #sink(task: Task): void {
    for (;;) {
      const left = this.#heap[2 * task.slot + 1];
      const right = this.#heap[2 * task.slot + 2];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= task.at) return;
      this.#swap(task, child);
    }
  }

  #swap(one: Task, other: Task): void {
    const { slot } = one;
    this.#place(one, other.slot);
    this.#place(other, slot);
  }
}
