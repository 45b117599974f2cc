import { ConfigurationError } from "@sluice/core";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { skipN } from "pure-rand/utils/skipN";

export interface FaultOptions {
  /** Decides on every fault: the same seed, the same faults for the first connection, the second, and so on. */
  readonly seed: number;
  /** How many of 100 connections are cut in the middle. */
  readonly drop?: number;
  /** How many of 100 become half open: one side hears no more of the other, and nobody is told. */
  readonly halfOpen?: number;
  /** How many of 100 have a client that reads slowly: a piece, then nothing for `maxDelay` milliseconds. */
  readonly slowReader?: number;
  /** How many of 100 are late in both directions: every piece by up to `maxDelay` milliseconds, in order. */
  readonly delay?: number;
  /** Up to how many bytes, both directions together, go through before a fault begins. 4,096 if left out. */
  readonly maxBytes?: number;
  /** Milliseconds. 50 if left out. */
  readonly maxDelay?: number;
}

export type Direction = "toServer" | "toClient";

/** What happens to one connection. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "drop"; readonly afterBytes: number }
  | { readonly kind: "halfOpen"; readonly afterBytes: number; readonly direction: Direction }
  | { readonly kind: "slowReader"; readonly afterBytes: number; readonly ms: number }
  | { readonly kind: "delay"; readonly afterBytes: number; readonly ms: number };

/** Decides on the faults of connections, one after another. Throws `ConfigurationError` for an option out of its range. */
export function faultPlan(options: FaultOptions): () => Fault {
  const { seed, drop = 0, halfOpen = 0, slowReader = 0, delay = 0, maxBytes = 4096, maxDelay = 50 } = options;
  check("seed", seed, -(2 ** 31), 2 ** 31 - 1);
  for (const [name, share] of Object.entries({ drop, halfOpen, slowReader, delay })) check(name, share, 0, 100);
  check("drop, halfOpen, slowReader and delay together", drop + halfOpen + slowReader + delay, 0, 100);
  check("maxBytes", maxBytes, 0, 2 ** 31 - 1);
  check("maxDelay", maxDelay, 1, 600_000);
  const random = xoroshiro128plus(seed);
  // The first numbers of small seeds are much alike.
  skipN(random, 64);
  return () => {
    // As many numbers for every connection, whatever becomes of it.
    const share = uniformInt(random, 0, 99);
    const afterBytes = uniformInt(random, 0, maxBytes);
    const ms = uniformInt(random, 1, maxDelay);
    const direction = uniformInt(random, 0, 1) === 0 ? "toServer" : "toClient";
    if (share < drop) return { kind: "drop", afterBytes };
    if (share < drop + halfOpen) return { kind: "halfOpen", afterBytes, direction };
    if (share < drop + halfOpen + slowReader) return { kind: "slowReader", afterBytes, ms: maxDelay };
    if (share < drop + halfOpen + slowReader + delay) return { kind: "delay", afterBytes, ms };
    return { kind: "none" };
  };
}

function check(name: string, value: number, lowest: number, highest: number): void {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new ConfigurationError(`expected ${name} to be a whole number from ${lowest} to ${highest}, got ${value}`);
  }
}
