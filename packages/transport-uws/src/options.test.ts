import { ConfigurationError, defaultLimits, silentLogger } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { checkOptions, maxPayloadLength, type ServeOptions } from "./options.js";
import { serve } from "./serve.js";

const given = (options: Partial<ServeOptions>): ServeOptions => ({ port: 0, logger: silentLogger, ...options });

describe("checkOptions", () => {
  it("fills in what is left out", () => {
    expect(checkOptions(given({}))).toEqual({
      port: 0,
      host: "127.0.0.1",
      maxBackpressure: 1024 * 1024,
      idleTimeout: 120,
    });
  });

  it.each<Partial<ServeOptions>>([
    { port: 65_535 },
    { idleTimeout: 0 },
    { idleTimeout: 8 },
    { idleTimeout: 960 },
    { maxBackpressure: 1 },
    { limits: { maxMessageSize: 1 } },
  ])("takes %o", (options) => {
    const { limits: _limits, ...settings } = options;
    expect(checkOptions(given(options))).toMatchObject(settings);
  });

  it.each<[Partial<ServeOptions>, string]>([
    [{ port: -1 }, "expected port to be a whole number from 0 to 65535, got -1"],
    [{ port: 65_536 }, "from 0 to 65535, got 65536"],
    [{ port: Number.NaN }, "got NaN"],
    [{ port: 80.5 }, "got 80.5"],
    [{ idleTimeout: 7 }, "expected idleTimeout to be 0, or a whole number from 8 to 960, got 7"],
    [{ idleTimeout: 961 }, "got 961"],
    [{ idleTimeout: -1 }, "got -1"],
    [{ maxBackpressure: 0 }, "expected maxBackpressure to be a whole number from 1 to 2147483647, got 0"],
    [{ host: "" }, "expected host to be a name or an address, got an empty string"],
    [{ limits: { maxMessageSize: 0 } }, "expected limits.maxMessageSize to be a whole number from 1 to"],
    [{ limits: { maxMessageSize: 2 ** 30 } }, "got 1073741824"],
  ])("refuses %o, and says the range", async (options, message) => {
    expect(() => checkOptions(given(options))).toThrow(ConfigurationError);
    expect(() => checkOptions(given(options))).toThrow(message);
    await expect(serve(() => {}, given(options))).rejects.toThrow(message);
  });
});

describe("maxPayloadLength", () => {
  it.each([
    [1, 2],
    [64 * 1024, 128 * 1024],
    [1024 * 1024, 2 * 1024 * 1024],
    [10 * 1024 * 1024, 11 * 1024 * 1024],
  ])("leaves room above %i", (maxMessageSize, expected) => {
    expect(maxPayloadLength({ ...defaultLimits, maxMessageSize })).toBe(expected);
  });
});
