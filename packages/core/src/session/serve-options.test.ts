import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { silentLogger } from "../ports/logger.js";
import { checkServeOptions, type ListenAddress, type TransportSettings } from "./serve-options.js";

const check = (address: ListenAddress, settings: TransportSettings = {}) =>
  checkServeOptions({ ...address, ...settings, logger: silentLogger });

describe("the address", () => {
  it.each<[ListenAddress, object]>([
    [{ port: 0 }, { host: "127.0.0.1", port: 0 }],
    [
      { port: 65_535, host: "::1" },
      { host: "::1", port: 65_535 },
    ],
    [{ unix: "/run/app.sock" }, { unix: "/run/app.sock" }],
    [{ unix: "x".repeat(103) }, { unix: "x".repeat(103) }],
  ])("takes %j", (given, expected) => {
    expect(check(given).address).toEqual(expected);
  });

  it.each<[ListenAddress, string]>([
    [{ port: -1 }, "expected port to be a whole number from 0 to 65535, got -1"],
    [{ port: 65_536 }, "from 0 to 65535, got 65536"],
    [{ port: Number.NaN }, "got NaN"],
    [{ port: 80.5 }, "got 80.5"],
    [{ port: 0, host: "" }, "expected host to be a name or an address, got an empty string"],
    [{ unix: "" }, 'expected unix to be a path of 1 to 103 bytes, got ""'],
    [{ unix: "x".repeat(104) }, "expected unix to be a path of 1 to 103 bytes"],
    // Bytes, not characters.
    [{ unix: "é".repeat(52) }, "expected unix to be a path of 1 to 103 bytes"],
  ])("refuses %j, and says the range", (given, message) => {
    expect(() => check(given)).toThrow(ConfigurationError);
    expect(() => check(given)).toThrow(message);
  });
});

describe("the settings", () => {
  it("have defaults", () => {
    expect(check({ port: 0 })).toEqual({
      address: { host: "127.0.0.1", port: 0 },
      maxBackpressure: 1024 * 1024,
      idleTimeout: 120,
      compression: false,
      sharedPort: false,
    });
  });

  it.each<TransportSettings>([
    { idleTimeout: 0 },
    { idleTimeout: 8 },
    { idleTimeout: 960 },
    { maxBackpressure: 1 },
    { maxBackpressure: 2 ** 31 - 1 },
    { compression: true },
    { sharedPort: true },
  ])("take %j", (settings) => {
    expect(check({ port: 0 }, settings)).toMatchObject(settings);
  });

  it.each<[TransportSettings, string]>([
    [{ idleTimeout: 7 }, "expected idleTimeout to be 0, or a whole number from 8 to 960, got 7"],
    [{ idleTimeout: 961 }, "got 961"],
    [{ idleTimeout: -1 }, "got -1"],
    [{ maxBackpressure: 0 }, "expected maxBackpressure to be a whole number from 1 to 2147483647, got 0"],
    [{ maxBackpressure: 2 ** 31 }, "got 2147483648"],
    [{ maxBackpressure: 1.5 }, "got 1.5"],
  ])("refuse %j, and say the range", (settings, message) => {
    expect(() => check({ port: 0 }, settings)).toThrow(ConfigurationError);
    expect(() => check({ port: 0 }, settings)).toThrow(message);
  });
});
