import type { TestContext } from "vitest";
import { loadNative } from "../src/native.js";

/** Why nothing can be served on this Node; undefined where it can. */
const reason: string | undefined = await loadNative().then(
  () => undefined,
  (error: Error) => error.message,
);

/** A hook for `beforeEach`: skips what needs a real server, and says why. On CI nothing is skipped for want of it. */
export function skipWithoutBinary({ skip }: TestContext): void {
  if (reason === undefined) return;
  if (process.env.CI) throw new Error(reason);
  skip(reason);
}
