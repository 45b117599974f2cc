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
    if (this.#ids.size > this.#most) {
      // A set keeps its order: this is the oldest.
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
