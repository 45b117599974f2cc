import { ConfigurationError, silentLogger } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { canReusePort, checkOptions } from "./options.js";
import { serve } from "./serve.js";

describe("checkOptions", () => {
  it("refuses messages that no string could hold, and says the range", async () => {
    const options = { port: 0, logger: silentLogger, limits: { maxMessageSize: 2 ** 30 } };
    expect(() => checkOptions(options)).toThrow(ConfigurationError);
    await expect(serve(() => {}, options)).rejects.toThrow("got 1073741824");
  });

  it.skipIf(canReusePort())("refuses to share a port where that cannot be, and says what is needed", async () => {
    const options = { port: 0, logger: silentLogger, sharedPort: true };
    await expect(serve(() => {}, options)).rejects.toThrow("expected Node 22.12 or later, or a worker of node:cluster");
  });

  it("refuses what no transport takes", async () => {
    await expect(serve(() => {}, { port: -1, logger: silentLogger })).rejects.toThrow("expected port to be");
    await expect(serve(() => {}, { port: 0, logger: silentLogger, limits: { maxHeaders: 0 } })).rejects.toThrow(
      "expected limits.maxHeaders to be",
    );
  });
});

it.each([
  ["20.19.0", false],
  ["22.11.0", false],
  ["22.12.0", true],
  ["23.0.0", false],
  ["23.1.0", true],
  ["24.0.0", true],
])("knows that Node %s shares ports: %s", (version, expected) => {
  expect(canReusePort(version)).toBe(expected);
});
