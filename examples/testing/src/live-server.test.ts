import { liveServer } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import { expect, test } from "vitest";
import { ada, createApplication } from "./application.js";

test("two people talk over real sockets", async () => {
  const { application, tokens } = createApplication();
  const { token } = await tokens.issue(ada, { expiresIn: 60_000 });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve });
  await using one = await server.connect("/ws/lobby/", { headers });
  await using two = await server.connect("/ws/lobby/", { headers });
  one.sendTo("hello");
  for (const client of [one, two]) {
    expect(await client.receiveJsonFrom()).toEqual({ from: "ada", text: "hello" });
  }
  expect(server.connections.websocket).toBe(2);

  const stranger = server.websocket("/ws/lobby/");
  expect(await stranger.connect()).toMatchObject({ connected: false, status: 401 });

  const response = await server.fetch("/hello");
  expect(await response.json()).toEqual({ path: "/hello" });
});

test("a failure that is meant to be is seen as a client sees it", async () => {
  const { application, tokens } = createApplication();
  const { token } = await tokens.issue(ada, { expiresIn: 60_000 });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve, expectErrors: true });
  await using client = await server.connect("/ws/lobby/", { headers });
  client.sendTo(new Uint8Array([1, 2, 3]));
  expect(await client.receiveClose()).toEqual({ code: 1011, reason: "internal error" });
  expect(server.logger.errors).toEqual([new TypeError("expected text, got binary")]);
});
