import { RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { stopServer } from "./serve.js";
import { readSettings } from "./settings.js";

/** Stops a server, both of whose ends may fail, and tells what was called. */
async function stop(ends: { readonly server?: Error; readonly services?: Error }, env: Record<string, string> = {}) {
  const logger = new RecordingLogger();
  const calls: unknown[] = [];
  const end = async (name: keyof typeof ends, ...options: unknown[]): Promise<void> => {
    calls.push([name, ...options]);
    const failure = ends[name];
    if (failure !== undefined) throw failure;
  };
  const server = { close: (options?: object) => end("server", options) };
  const services = { settings: readSettings(env), logger, close: () => end("services") };
  const [outcome] = await Promise.allSettled([stopServer(server, services)]);
  return {
    calls,
    logged: logger.lines.map(({ fields }) => (fields as { readonly err?: unknown }).err),
    reason: (outcome as PromiseRejectedResult).reason,
  };
}

describe("stopServer", () => {
  it("closes the server within its share of the deadline, then the services", async () => {
    const env = { SHUTDOWN_DEADLINE: "1000", DRAIN_WINDOW: "950" };
    expect(await stop({}, env)).toEqual({
      calls: [["server", { deadline: 900, drain: 900 }], ["services"]],
      logged: [],
      reason: undefined,
    });
  });

  it("closes the services where the server could not be closed, and tells of both failures", async () => {
    const [server, services] = [new Error("server"), new Error("services")];
    const failed = await stop({ server, services });
    expect(failed.calls.map((call) => (call as unknown[])[0])).toEqual(["server", "services"]);
    expect(failed).toMatchObject({ reason: server, logged: [services] });
    expect(await stop({ server })).toMatchObject({ reason: server, logged: [] });
    expect(await stop({ services })).toMatchObject({ reason: services, logged: [] });
  });
});
