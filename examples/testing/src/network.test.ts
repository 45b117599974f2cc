import { faultyNetwork, liveServer } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import { expect, test } from "vitest";
import { ada, createApplication } from "./application.js";

test("a room gets over the loss of a member", async () => {
  const { application, tokens } = createApplication();
  const { token } = await tokens.issue(ada, { expiresIn: 60_000 });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve });
  await using network = await faultyNetwork(server);
  await using lost = await network.connect("/ws/lobby/", { headers });
  await using there = await server.connect("/ws/lobby/", { headers });

  network.freeze(); // nothing goes through, and nobody is told
  there.sendTo("are you there?");
  expect(await there.receiveJsonFrom()).toEqual({ from: "ada", text: "are you there?" });
  expect(await lost.receiveNothing()).toBe(true);

  network.thaw(); // what waited goes through
  expect(await lost.receiveJsonFrom()).toEqual({ from: "ada", text: "are you there?" });

  network.cut(); // a reset, for both sides
  expect(await lost.receiveClose()).toEqual({ code: 1006, reason: "" });
  await lost.wait(); // the consumer's disconnect() has run
  expect(server.connections.websocket).toBe(1);
});

test.each([1, 2, 3])("whatever the network does with seed %i, nobody is left behind", async (seed) => {
  const { application, tokens } = createApplication();
  const { token } = await tokens.issue(ada, { expiresIn: 60_000 });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve });
  // Of 100 connections, 40 are cut in the middle, 20 are late, 20 have a client that reads slowly.
  await using network = await faultyNetwork(server, { seed, drop: 40, delay: 20, slowReader: 20, maxBytes: 2_000 });
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const client = network.websocket("/ws/lobby/", { headers });
    const { connected } = await client.connect().catch(() => ({ connected: false }));
    if (connected) client.sendTo("hello");
    await client.disconnect();
  }
  expect(server.connections.websocket).toBe(0);
  expect(network.faults).toHaveLength(10);
});
