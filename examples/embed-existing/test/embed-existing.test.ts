import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import type { App, Receive, Send } from "@sluice/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { createApplication } from "../src/application.js";
import { startExpress } from "../src/express.js";
import { startFastify } from "../src/fastify.js";

describe.each([
  ["Express", startExpress],
  ["Fastify", startFastify],
])("WebSockets beside %s", (name, start) => {
  const listen = async (): Promise<{ port: number; close: () => Promise<void> }> => {
    const host = await start(createApplication(["example.com"]), 0);
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= host.close();
      return closed;
    };
    onTestFinished(close);
    return { port: (host.server.address() as AddressInfo).port, close };
  };

  const visit = (port: number, path: string, origin = "https://example.com"): WebSocket => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { origin });
    socket.on("error", () => {});
    onTestFinished(() => socket.terminate());
    return socket;
  };

  const enter = async (port: number, path: string): Promise<WebSocket> => {
    const socket = visit(port, path);
    await once(socket, "open");
    return socket;
  };

  const refusal = async (socket: WebSocket): Promise<number> => {
    const [, response] = await once(socket, "unexpected-response");
    return response.statusCode;
  };

  it("leaves its routes as they were", async () => {
    const { port } = await listen();
    const response = await fetch(`http://127.0.0.1:${port}/hello`);
    expect(await response.json()).toEqual({ hello: name });
    expect((await fetch(`http://127.0.0.1:${port}/ws/rooms/lobby/`)).status).toBe(404);
  });

  it("carries what one visitor says to everybody in the room", async () => {
    const { port } = await listen();
    const ada = await enter(port, "/ws/rooms/lobby/");
    const bob = await enter(port, "/ws/rooms/lobby/");
    const eve = await enter(port, "/ws/rooms/cellar/");
    const heard = Promise.all([ada, bob].map((socket) => once(socket, "message")));
    ada.send("hello");
    for (const [message] of await heard) expect(String(message)).toBe("hello");
    const alone = once(eve, "message");
    eve.send("nobody?");
    expect(String((await alone)[0])).toBe("nobody?");
  });

  it("refuses pages of other hosts with 403", async () => {
    const { port } = await listen();
    expect(await refusal(visit(port, "/ws/rooms/lobby/", "https://evil.example"))).toBe(403);
  });

  it.each(["/ws/nowhere/", "/elsewhere"])("answers a WebSocket at %s with 404", async (path) => {
    const { port } = await listen();
    expect(await refusal(visit(port, path))).toBe(404);
  });

  it("ends the application where the port is taken", async () => {
    const { port } = await listen();
    const lifespan: string[] = [];
    const application: App = async (scope, receive, send) => {
      if (scope.type !== "lifespan") return;
      await (receive as Receive<"lifespan">).pipe(({ type }) => {
        lifespan.push(type);
        return (send as Send<"lifespan">)({ type: `${type}.complete` });
      });
    };
    await expect(start(application, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(lifespan).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  });

  it("closes with the server", async () => {
    const { port, close } = await listen();
    const socket = await enter(port, "/ws/rooms/lobby/");
    const closed = once(socket, "close");
    await close();
    expect((await closed)[0]).toBe(1012);
    const late = connect(port, "127.0.0.1");
    const [error] = await once(late, "error");
    expect(error.code).toBe("ECONNREFUSED");
  });
});
