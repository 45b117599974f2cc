import { type App, provide } from "@sluice/core";
import { ApplicationCommunicator, HttpCommunicator, httpScope, WebsocketCommunicator } from "@sluice/testing";
import { expect, test } from "vitest";
import { ada, createApplication } from "./application.js";

test("a room tells what was said, and who said it", async () => {
  const { room } = createApplication();
  const scope = { user: ada, urlRoute: { kwargs: { room: "lobby" }, args: [] } };
  await using client = new WebsocketCommunicator(room, "/", { scope });
  expect(await client.connect()).toMatchObject({ connected: true });
  client.sendTo("hello");
  expect(await client.receiveJsonFrom()).toEqual({ from: "ada", text: "hello" });
  expect(await client.receiveNothing()).toBe(true);
});

test("nobody gets in without a token", async () => {
  const { application } = createApplication();
  await using client = new WebsocketCommunicator(application, "/ws/lobby/");
  expect(await client.connect()).toMatchObject({ connected: false, status: 401 });
});

test("a request is answered", async () => {
  const { application } = createApplication();
  const response = await new HttpCommunicator(application, "GET", "/hello").getResponse();
  expect(response.status).toBe(200);
  expect(response.json()).toEqual({ path: "/hello" });
});

test("middleware adds what it says it adds", async () => {
  const numbered = provide(() => ({ number: 42 }));
  const inner: App<"http", { number: number }> = ({ number }, _receive, send) =>
    send({ type: "http.response.start", status: 200, headers: [["x-number", `${number}`]] });
  await using communicator = new ApplicationCommunicator(numbered(inner), httpScope({ path: "/numbered" }));
  expect(await communicator.receiveOutput()).toMatchObject({ headers: [["x-number", "42"]] });
});

test("a failure is the application's own, and does not wait for a time-out", async () => {
  const { room } = createApplication();
  const scope = { user: ada, urlRoute: { kwargs: { room: "lobby" }, args: [] } };
  await using client = new WebsocketCommunicator(room, "/", { scope });
  await client.connect();
  client.sendTo(new Uint8Array([1, 2, 3]));
  // expected a message, got close 1011 "internal error": the application failed: TypeError: expected text, got binary
  await expect(client.receiveFrom()).rejects.toMatchObject({ cause: new TypeError("expected text, got binary") });
});
