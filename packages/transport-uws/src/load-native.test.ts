import { ConfigurationError } from "@sluice/core";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { loadNative, loadUWebSockets } from "./load-native.js";
import type { UWebSockets } from "./native.js";

describe("loadNative, where there is a binary", () => {
  beforeEach(skipWithoutBinary);

  it("finds the installed module", async () => {
    expect((await loadNative()).App).toBeTypeOf("function");
    expect(await loadUWebSockets()).toBe(await import("uWebSockets.js"));
  });

  it("takes the one handed in, and imports none", async () => {
    const installed = await import("uWebSockets.js");
    const load = (): Promise<unknown> => Promise.reject(new Error("imported"));
    expect(await loadNative(installed, {}, load)).toBe(installed);
  });

  it("looks into the default export, which is all that import() shows of a CommonJS package", async () => {
    const installed = await import("uWebSockets.js");
    expect(await loadNative(undefined, {}, () => Promise.resolve({ default: installed }))).toBe(installed);
  });
});

describe("loadNative", () => {
  it("says which Nodes have a binary, and what to do on another", async () => {
    const cause = new Error("This version of uWS.js supports only Node.js versions 18, 20, 21 and 22");
    const loaded = loadNative(undefined, {}, () => Promise.reject(cause));
    await expect(loaded).rejects.toBeInstanceOf(ConfigurationError);
    await expect(loaded).rejects.toMatchObject({ cause });
    for (const part of [process.versions.node, process.versions.modules, "18, 20, 21 and 22", "official package"]) {
      await expect(loaded).rejects.toThrow(part);
    }
  });

  it("lets a request's head be somewhat larger than its header lines may be, unless the operator has decided", async () => {
    const name = "UWS_HTTP_MAX_HEADERS_SIZE";
    const before = process.env[name];
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
    const load = (): Promise<unknown> => Promise.resolve({ App: () => {}, SSLApp: () => {} });
    delete process.env[name];
    await loadNative(undefined, { maxHeaderSize: 32 * 1024 }, load);
    expect(process.env[name]).toBe(String(40 * 1024));
    await loadNative(undefined, { maxHeaderSize: 1024 }, load);
    expect(process.env[name]).toBe(String(40 * 1024));
    delete process.env[name];
    await loadNative(undefined, {}, load);
    expect(process.env[name]).toBe(String(24 * 1024));
  });

  it("refuses a module that is another one", async () => {
    await expect(loadNative({} as UWebSockets)).rejects.toThrow("expected the uWebSockets.js module");
    await expect(loadNative(undefined, {}, () => Promise.resolve(undefined))).rejects.toThrow(ConfigurationError);
  });
});
