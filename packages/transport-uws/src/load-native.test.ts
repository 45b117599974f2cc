import { ConfigurationError, defaultLimits, silentLogger } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { start } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { loadNative, loadUWebSockets } from "./load-native.js";
import type { UWebSockets } from "./native.js";
import { serve } from "./serve.js";

const variable = "UWS_HTTP_MAX_HEADERS_SIZE";

/** The variable as a test wants it, until the test is over. */
function setVariable(value: string | undefined): void {
  const before = process.env[variable];
  onTestFinished(() => write(before));
  write(value);
}

function write(value: string | undefined): void {
  if (value === undefined) delete process.env[variable];
  else process.env[variable] = value;
}

describe("loadNative, where there is a binary", () => {
  beforeEach(skipWithoutBinary);

  it("finds the installed module", async () => {
    expect((await loadNative(undefined, defaultLimits)).App).toBeTypeOf("function");
    expect(await loadUWebSockets(defaultLimits)).toBe(await import("uWebSockets.js"));
  });

  it("takes the one handed in, and imports none", async () => {
    const installed = await import("uWebSockets.js");
    const load = (): Promise<unknown> => Promise.reject(new Error("imported"));
    expect(await loadNative(installed, defaultLimits, load)).toBe(installed);
  });

  it("looks into the default export, which is all that import() shows of a CommonJS package", async () => {
    const installed = await import("uWebSockets.js");
    expect(await loadNative(undefined, defaultLimits, () => Promise.resolve({ default: installed }))).toBe(installed);
  });
});

describe("loadNative", () => {
  it("says which Nodes have a binary, and what to do on another", async () => {
    const cause = new Error("This version of uWS.js supports only Node.js versions 18, 20, 21 and 22");
    const loaded = loadNative(undefined, defaultLimits, () => Promise.reject(cause));
    await expect(loaded).rejects.toBeInstanceOf(ConfigurationError);
    await expect(loaded).rejects.toMatchObject({ cause });
    for (const part of [process.versions.node, process.versions.modules, "18, 20, 21 and 22", "official package"]) {
      await expect(loaded).rejects.toThrow(part);
    }
  });

  it("lets a request's head be somewhat larger than its header lines may be, unless the operator has decided", async () => {
    setVariable(undefined);
    const load = (): Promise<unknown> => Promise.resolve({ App: () => {}, SSLApp: () => {} });
    await loadNative(undefined, { maxHeaderSize: 32 * 1024 }, load);
    expect(process.env[variable]).toBe(String(40 * 1024));
    await loadNative(undefined, { maxHeaderSize: 1024 }, load);
    expect(process.env[variable]).toBe(String(40 * 1024));
  });

  it.each([Number.NaN, -1, 1.5, 2 ** 20 + 1, 2 ** 32])(
    "decides nothing for the process, and imports nothing, with a maxHeaderSize of %d",
    async (maxHeaderSize) => {
      setVariable(undefined);
      let imported = false;
      const load = (): Promise<unknown> => {
        imported = true;
        return Promise.resolve({ App: () => {}, SSLApp: () => {} });
      };
      const message = "expected limits.maxHeaderSize to be a whole number from 1 to 1048576";
      await expect(loadNative(undefined, { maxHeaderSize }, load)).rejects.toThrow(message);
      await expect(loadUWebSockets({ maxHeaderSize })).rejects.toThrow(ConfigurationError);
      const options = { port: 0, logger: silentLogger };
      await expect(serve(() => {}, { ...options, limits: { maxHeaderSize } })).rejects.toThrow(message);
      expect(imported).toBe(false);
      expect(process.env[variable]).toBeUndefined();
    },
  );

  it("decides nothing for the process with another option that is wrong", async () => {
    setVariable(undefined);
    const options = { port: 0, logger: silentLogger };
    await expect(serve(() => {}, { ...options, limits: { maxHeaders: -1 } })).rejects.toThrow("limits.maxHeaders");
    await expect(serve(() => {}, { ...options, trustedProxies: ["proxy"] })).rejects.toThrow("trustedProxies");
    expect(process.env[variable]).toBeUndefined();
  });

  it("refuses a module that is another one", async () => {
    await expect(loadNative({} as UWebSockets, defaultLimits)).rejects.toThrow("expected the uWebSockets.js module");
    await expect(loadNative(undefined, defaultLimits, () => Promise.resolve(undefined))).rejects.toThrow(
      ConfigurationError,
    );
  });
});

describe("a bound of the native side that was set before", () => {
  beforeEach(skipWithoutBinary);

  it.each<[string, string | undefined, number]>([
    ["by the operator", "8192", 8192],
    ["by nobody, with a module that was imported before", undefined, 4096],
  ])("%s: the operator is told where it is below the limit", async (_who, value, bytes) => {
    setVariable(value);
    const uws = (await import("uWebSockets.js")) as UWebSockets;
    const logger = new RecordingLogger();
    await start({}, { logger, uws, limits: { maxHeaderSize: bytes } });
    expect(logger.lines).toEqual([]);
    await start({}, { logger, uws, limits: { maxHeaderSize: bytes + 1 } });
    expect(logger.lines).toMatchObject([{ level: "warn", fields: { bytes, maxHeaderSize: bytes + 1 } }]);
  });
});
