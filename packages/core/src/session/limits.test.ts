import { RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { checkLimits, defaultLimits, type Limits } from "./limits.js";
import { ProtocolServer } from "./protocol-server.js";

const names = Object.keys(defaultLimits) as (keyof Limits)[];
/** Those that can be switched off. */
const optional: readonly (keyof Limits)[] = [
  "httpTimeout",
  "sendTimeout",
  "maxLifetime",
  "maxConnections",
  "maxConnectionsPerAddress",
  "maxHandshakesPerSecond",
];

describe("checkLimits", () => {
  it("fills in what is left out", () => {
    expect(checkLimits()).toEqual(defaultLimits);
    expect(checkLimits({ maxHeaders: 5 })).toEqual({ ...defaultLimits, maxHeaders: 5 });
  });

  it.each(names)("takes %s of 1, and 0 where that means for ever or without bound", (name) => {
    expect(checkLimits({ [name]: 1 })[name]).toBe(1);
    if (optional.includes(name)) expect(checkLimits({ [name]: 0 })[name]).toBe(0);
    else expect(() => checkLimits({ [name]: 0 })).toThrow(`expected limits.${name} to be a whole number from 1 to`);
  });

  it.each(names.flatMap((name) => [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "7"].map((value) => [name, value])))(
    "refuses %s of %s",
    (name, value) => {
      const limits = { [name as string]: value };
      expect(() => checkLimits(limits)).toThrow(ConfigurationError);
      expect(() => checkLimits(limits)).toThrow(new RegExp(`^expected limits.${name} to be .*, got ${value}$`));
    },
  );

  it("refuses a time that no timer can wait", () => {
    expect(checkLimits({ maxLifetime: 2_147_483_647 }).maxLifetime).toBe(2_147_483_647);
    expect(() => checkLimits({ maxLifetime: 2_147_483_648 })).toThrow("from 0 to 2147483647, got 2147483648");
  });

  it("is how a server checks its own", () => {
    const logger = new RecordingLogger();
    expect(() => new ProtocolServer(() => {}, { logger, limits: { maxBodySize: 0 } })).toThrow(
      "expected limits.maxBodySize to be",
    );
  });
});
