/** Which messages a client has been shown, as far as anybody may show them again. */
export class Shown {
  readonly #ids = new Set<string>();
  readonly #most: number;

  /** Remembers the last `most`. */
  constructor(most: number) {
    this.#most = most;
  }

  /** False if the message has been added before. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    // A set keeps its order.
    const [oldest = id] = this.#ids;
    if (this.#ids.size > this.#most) this.#ids.delete(oldest);
    return true;
  }
}
