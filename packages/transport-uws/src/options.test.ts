import { ConfigurationError, silentLogger } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { checkOptions, type ServeOptions } from "./options.js";
import { serve } from "./serve.js";

const given = (maxMessageSize: number): ServeOptions => ({
  port: 0,
  logger: silentLogger,
  limits: { maxMessageSize },
});

describe("checkOptions", () => {
  it("takes a message of a single byte", () => {
    expect(checkOptions(given(1))).toMatchObject({ address: { port: 0 } });
  });

  it.each([
    [0, "expected limits.maxMessageSize to be a whole number from 1 to"],
    [2 ** 30, "got 1073741824"],
  ])("refuses a maxMessageSize of %d, and says the range", async (size, message) => {
    expect(() => checkOptions(given(size))).toThrow(ConfigurationError);
    expect(() => checkOptions(given(size))).toThrow(message);
    await expect(serve(() => {}, given(size))).rejects.toThrow(message);
  });

  it("refuses what no transport takes", async () => {
    await expect(serve(() => {}, { port: -1, logger: silentLogger })).rejects.toThrow("expected port to be");
  });
});
