import { ConfigurationError } from "@sluice/core";
import { beforeEach, describe, expect, it } from "vitest";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { loadNative, type UWebSockets } from "./native.js";

describe("loadNative, where there is a binary", () => {
  beforeEach(skipWithoutBinary);

  it("finds the installed module", async () => {
    expect((await loadNative()).App).toBeTypeOf("function");
  });

  it("takes the one handed in, and imports none", async () => {
    const installed = await import("uWebSockets.js");
    const load = (): Promise<unknown> => Promise.reject(new Error("imported"));
    expect(await loadNative(installed, load)).toBe(installed);
  });

  it("looks into the default export, which is all that import() shows of a CommonJS package", async () => {
    const installed = await import("uWebSockets.js");
    expect(await loadNative(undefined, () => Promise.resolve({ default: installed }))).toBe(installed);
  });
});

describe("loadNative", () => {
  it("says which Nodes have a binary, and what to do on another", async () => {
    const cause = new Error("This version of uWS.js supports only Node.js versions 18, 20, 21 and 22");
    const loaded = loadNative(undefined, () => Promise.reject(cause));
    await expect(loaded).rejects.toBeInstanceOf(ConfigurationError);
    await expect(loaded).rejects.toMatchObject({ cause });
    for (const part of [process.versions.node, process.versions.modules, "18, 20, 21 and 22", "official package"]) {
      await expect(loaded).rejects.toThrow(part);
    }
  });

  it("refuses a module that is another one", async () => {
    await expect(loadNative({} as UWebSockets)).rejects.toThrow("expected the uWebSockets.js module");
    await expect(loadNative(undefined, () => Promise.resolve(undefined))).rejects.toThrow(ConfigurationError);
  });
});
