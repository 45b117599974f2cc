import { FakeClock, faultyNetwork, liveServer, WebsocketCommunicator } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import { expect, test } from "vitest";
import { ada, createApplication } from "./application.js";

const minute = 60_000;

test("a token is good until it expires", async () => {
  const clock = new FakeClock();
  const { application, tokens } = createApplication(clock);
  const { token } = await tokens.issue(ada, { expiresIn: minute });
  const options = { clock, headers: [["authorization", `Bearer ${token}`]] as const };

  await using early = new WebsocketCommunicator(application, "/ws/lobby/", options);
  expect(await early.connect()).toMatchObject({ connected: true });
  await clock.advance(2 * minute);
  await using late = new WebsocketCommunicator(application, "/ws/lobby/", options);
  expect(await late.connect()).toMatchObject({ connected: false, status: 401 });
});

test("a connection ends at the end of its lifetime", async () => {
  const clock = new FakeClock();
  const { application, tokens } = createApplication(clock);
  const { token } = await tokens.issue(ada, { expiresIn: minute });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve, clock, limits: { maxLifetime: 10 * minute } });
  await using client = await server.connect("/ws/lobby/", { headers });
  await clock.advance(10 * minute);
  expect(await client.receiveClose()).toMatchObject({ code: 4408 });
});

test("a client that answers no ping is given up", async () => {
  const clock = new FakeClock();
  const { application, tokens } = createApplication(clock);
  const { token } = await tokens.issue(ada, { expiresIn: minute });
  const headers = [["authorization", `Bearer ${token}`]] as const;

  await using server = await liveServer(application, { serve, clock, idleTimeout: 60 });
  await using network = await faultyNetwork(server);
  await using client = await network.connect("/ws/lobby/", { headers });
  network.freeze();
  await clock.advance(2 * minute);
  await client.wait(); // the consumer's disconnect() has run
  network.thaw();
  expect(await client.receiveClose()).toEqual({ code: 1006, reason: "" });
});
