import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Choices that come out the same for the same seed and number, so that one case can be made again without the others. */
export class FuzzRandom {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number, caseNumber: number) {
    // An odd factor gives every case of a seed a state of its own.
    this.#generator = xoroshiro128plus(seed ^ Math.imul(caseNumber + 1, 0x9e3779b1));
    // The first values show the state they come from.
    for (let skipped = 0; skipped < 8; skipped++) this.#generator.next();
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.int(1, 100) <= percent;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.int(0, items.length - 1)] as Item;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index++) bytes[index] = this.int(0, 255);
    return bytes;
  }

  /** Any Latin-1 characters, control characters among them. */
  latin1(longest: number): string {
    return this.bytes(this.int(0, longest)).toString("latin1");
  }
}
