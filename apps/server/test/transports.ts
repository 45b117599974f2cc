import { defaultLimits } from "@sluice/core";
import { loadUWebSockets } from "@sluice/transport-uws";
import { describe } from "vitest";

export type TransportName = "uws" | "node";

/** Why there is no uWebSockets.js here, if there is none. */
const missing = await loadUWebSockets(defaultLimits).then(
  () => undefined,
  (error: Error) => error.message,
);

export const available: readonly TransportName[] = missing === undefined ? ["uws", "node"] : ["node"];

/** What `auto` stands for here. */
export const [fastest] = available;

/** Runs a suite on each transport. Where one is missing, it is shown as skipped, with the reason. */
export function describeTransports(suite: (transport: TransportName) => void): void {
  if (missing === undefined) describe("uws", () => suite("uws"));
  else describe.skip(`uws (skipped: ${missing})`, () => suite("uws"));
  describe("node", () => suite("node"));
}
