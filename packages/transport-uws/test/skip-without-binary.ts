import { defaultLimits } from "@sluice/core";
import type { TestContext } from "vitest";
import { loadNative } from "../src/load-native.js";

/** Why nothing can be served on this Node; undefined where it can. */
const reason: string | undefined = await loadNative(undefined, defaultLimits).then(
  () => undefined,
  (error: Error) => error.message,
);

/** The Nodes that the package on npm has a binary for: 18, 20, 21 and 22. */
const withBinary: readonly string[] = ["108", "115", "120", "127"];

/**
 * A hook for `beforeEach`: skips what needs a real server, and says why. On CI that is a failure, unless this Node is one
 * that the package has never had a binary for.
 */
export function skipWithoutBinary({ skip }: TestContext): void {
  if (reason === undefined) return;
  if (process.env.CI && withBinary.includes(process.versions.modules)) throw new Error(reason);
  skip(reason);
}
