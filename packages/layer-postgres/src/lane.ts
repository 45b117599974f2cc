/**
 * Calls on one of two connections. They take effect in the order they are made in, also beside those on the other
 * connection as far as that can be seen: what concerns a topic waits for what is under way about the same topic there, and
 * everything behind it waits with it. That is rare, so nearly all calls go out at once.
 */
export class Lane {
  /** The last call about each topic, while it is under way. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  /** Settles when the last of those has begun that had to wait. */
  #held: Promise<unknown> | undefined;

  /** Begins `call` when it is its turn. */
  enter<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.#after(undefined, call);
  }

  /** The same for a call about a topic, which may be under way on the other lane. */
  enterFor<Result>(topic: string, other: Lane, call: () => Promise<Result>): Promise<Result> {
    const result = this.#after(other.#underWay.get(topic), call);
    this.#underWay.set(topic, result);
    const settled = (): void => {
      if (this.#underWay.get(topic) === result) this.#underWay.delete(topic);
    };
    result.then(settled, settled);
    return result;
  }

  #after<Result>(other: Promise<unknown> | undefined, call: () => Promise<Result>): Promise<Result> {
    if (this.#held === undefined && other === undefined) return call();
    const begun = Promise.allSettled([this.#held, other]).then(() => {
      if (this.#held === begun) this.#held = undefined;
      // In an object: those behind it wait for it to begin, not to end. In the same step, so that nothing comes between.
      return { result: call() };
    });
    this.#held = begun;
    return begun.then(({ result }) => result);
  }
}
