import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { Listener } from "../ports/transport.js";
import type { Address } from "../scope.js";
import { ProtocolServer } from "./protocol-server.js";
import { serveWith } from "./serve-with.js";

function setUp({
  secure = false,
  address = { host: "127.0.0.1", port: 8000 } as Address,
  app = undefined as App | undefined,
} = {}) {
  const trace: string[] = [];
  const logger = new RecordingLogger();
  const lifespan: App = async (scope, receive, send) => {
    if (scope.type !== "lifespan") return;
    await receive();
    trace.push("started");
    await send({ type: "lifespan.startup.complete" });
    await receive();
    trace.push("stopped");
    await send({ type: "lifespan.shutdown.complete" });
  };
  const listener: Listener = {
    secure,
    listen: async () => {
      trace.push("listening");
      return address;
    },
    stopListening: () => trace.push("not listening"),
    cut: () => void trace.push("cut"),
  };
  return { server: new ProtocolServer(app ?? lifespan, { logger, clock: new FakeClock() }), listener, trace, logger };
}

describe("serveWith", () => {
  it("starts the application before the port is open, and stops it after the port is closed", async () => {
    const { server, listener, trace } = setUp();
    const serving = await serveWith(server, listener);
    expect(trace).toEqual(["started", "listening"]);
    await serving.close();
    expect(trace).toEqual(["started", "listening", "not listening", "stopped", "cut"]);
  });

  it.each([
    [false, { host: "127.0.0.1", port: 8000 }, "http://127.0.0.1:8000"],
    [true, { host: "::1", port: 443 }, "https://[::1]:443"],
    [false, { host: "/run/app.sock", port: undefined }, "unix:/run/app.sock"],
  ])("says where it listens (TLS: %s, %j)", async (secure, address, url) => {
    const { server, listener } = setUp({ secure, address });
    const serving = await serveWith(server, listener);
    expect(serving).toMatchObject({ host: address.host, port: address.port ?? 0, url });
    await serving.close();
  });

  it("closes once, and all who ask wait for it", async () => {
    const { server, listener, trace } = setUp();
    const serving = await serveWith(server, listener);
    const first = serving.close({ deadline: 5 });
    expect(serving.close()).toBe(first);
    await first;
    expect(trace.filter((what) => what === "stopped")).toHaveLength(1);
  });

  it("counts what the protocol server counts", async () => {
    const { server, listener } = setUp();
    const serving = await serveWith(server, listener);
    expect(serving.counts).toBe(server.counts);
    expect(serving.connections).toEqual({ http: 0, websocket: 0 });
  });

  it("opens no port for an application that does not start", async () => {
    const { server, listener, trace } = setUp({ app: () => Promise.reject(new Error("no database")) });
    await expect(serveWith(server, listener)).rejects.toThrow("no database");
    expect(trace).toEqual(["cut"]);
  });

  it("stops the application if the port cannot be opened", async () => {
    const { server, listener, trace, logger } = setUp();
    const taken = Object.assign(new Error("taken"), { code: "EADDRINUSE" });
    await expect(serveWith(server, { ...listener, listen: () => Promise.reject(taken) })).rejects.toBe(taken);
    expect(trace).toEqual(["started", "stopped", "cut"]);
    expect(logger.lines).toEqual([]);
  });

  it("rejects with why the port cannot be opened even if the transport cannot let go either", async () => {
    const { server, listener, logger } = setUp();
    const taken = new Error("taken");
    const stuck = new Error("stuck");
    const cut = (): never => {
      throw stuck;
    };
    await expect(serveWith(server, { ...listener, listen: () => Promise.reject(taken), cut })).rejects.toBe(taken);
    expect(logger.errors).toEqual([stuck]);
  });

  it("stops the application and cuts even if the transport cannot stop listening", async () => {
    const { server, listener, trace } = setUp();
    const stuck = new Error("stuck");
    const stopListening = (): never => {
      throw stuck;
    };
    const serving = await serveWith(server, { ...listener, stopListening });
    await expect(serving.close()).rejects.toBe(stuck);
    expect(trace).toEqual(["started", "listening", "stopped", "cut"]);
  });

  it("takes no notice of a close with an option out of range, but to reject", async () => {
    const { server, listener, trace } = setUp();
    const serving = await serveWith(server, listener);
    await expect(serving.close({ deadline: Number.NaN })).rejects.toThrow(ConfigurationError);
    expect(trace).toEqual(["started", "listening"]);
    await serving.close();
    expect(trace.slice(2)).toEqual(["not listening", "stopped", "cut"]);
  });

  it("rejects with why the port cannot be opened even if the application cannot be stopped either", async () => {
    const stuck = new Error("stuck");
    const { server, listener, logger } = setUp({
      app: async (_scope, receive, send) => {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        throw stuck;
      },
    });
    const taken = new Error("taken");
    await expect(serveWith(server, { ...listener, listen: () => Promise.reject(taken) })).rejects.toBe(taken);
    expect(logger.errors).toEqual([stuck]);
  });

  it("cuts what is connected even if the application fails to stop, and rejects with its error", async () => {
    const stuck = new Error("stuck");
    const { server, listener, trace } = setUp({
      app: async (_scope, receive, send) => {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        throw stuck;
      },
    });
    const serving = await serveWith(server, listener);
    await expect(serving.close()).rejects.toBe(stuck);
    expect(trace).toEqual(["listening", "not listening", "cut"]);
  });
});
