interface Lane {
  running: number;
  /** Each call lets one more begin. */
  readonly waiting: (() => void)[];
}

/** Lets only a few tasks of a key run at a time; the others wait for their turn. */
export class Lanes {
  readonly #width: number;
  readonly #lanes = new Map<string, Lane>();

  constructor(width: number) {
    this.#width = width;
  }

  async run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const lane = this.#lanes.get(key) ?? { running: 0, waiting: [] };
    this.#lanes.set(key, lane);
    if (lane.running < this.#width) lane.running += 1;
    else await new Promise<void>((begin) => lane.waiting.push(begin));
    try {
      return await task();
    } finally {
      const begin = lane.waiting.shift();
      if (begin !== undefined) begin();
      else {
        lane.running -= 1;
        if (lane.running === 0) this.#lanes.delete(key);
      }
    }
  }
}
