import type { State } from "./gossip.js";
import type { Entry } from "./roll.js";

/** Another process, as far as this one has heard of it. */
export class Peer {
  /** Up to which of its changes it is known. None at first: so a new process, which has none either, is known at once. */
  version = 0;
  /** How many beats of this process have come by since it was last heard. */
  silence = 0;
  /** True if it has been asked for its state since its last beat, and has not answered. */
  asked = false;
  #pieces: State[] = [];

  /** Takes a piece of its state. Returns the whole when that is complete. */
  collect(piece: State): readonly Entry[] | undefined {
    if (piece.part === 0) this.#pieces = [];
    if (piece.part !== this.#pieces.length || piece.version !== (this.#pieces[0] ?? piece).version) {
      // What is lost is not waited for: the next beat shows that the state is still to be had.
      this.#pieces = [];
      return undefined;
    }
    this.#pieces.push(piece);
    if (this.#pieces.length < piece.parts) return undefined;
    const entries = this.#pieces.flatMap((each) => each.entries);
    this.#pieces = [];
    return entries;
  }
}
