import { HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { expect, it } from "vitest";
import type { App, Connection, Scope } from "../app.js";
import { ConfigurationError } from "../errors.js";
import { limitConnections } from "./limit-connections.js";

const welcome: App<Connection> = async (scope, receive, send) => {
  if (scope.type === "http") {
    await send({ type: "http.response.start", status: 204 });
    return send({ type: "http.response.body" });
  }
  await receive();
  await send({ type: "websocket.accept" });
  await receive();
};

/** The name is the query. */
const byQuery = ({ queryString }: Scope<"websocket">) => queryString || undefined;

function open(app: App<Connection>, name: string): WebsocketCommunicator {
  return new WebsocketCommunicator(app, `/?${name}`);
}

it("refuses one too many in a name, until there is room again", async () => {
  const told: string[] = [];
  const app = limitConnections({ max: 2, by: byQuery, onExceeded: ({ queryString }) => void told.push(queryString) })(
    welcome,
  );
  const [one, two, three, other] = ["ada", "ada", "ada", "charles"].map((name) => open(app, name)) as [
    WebsocketCommunicator,
    WebsocketCommunicator,
    WebsocketCommunicator,
    WebsocketCommunicator,
  ];
  expect(await one.connect()).toMatchObject({ connected: true });
  expect(await two.connect()).toMatchObject({ connected: true });
  expect(await three.connect()).toMatchObject({ status: 429, headers: expect.arrayContaining([["retry-after", "1"]]) });
  expect(await other.connect()).toMatchObject({ connected: true });
  expect(told).toEqual(["ada"]);
  await one.disconnect();
  await one.wait();
  expect(await open(app, "ada").connect()).toMatchObject({ connected: true });
  expect(await open(app, "ada").connect()).toMatchObject({ status: 429 });
});

it("gives the place back when the application throws", async () => {
  const failing: App<"websocket"> = () => Promise.reject(new Error("boom"));
  const app = limitConnections({ max: 1, by: byQuery })(failing);
  for (let count = 0; count < 3; count++) {
    await expect(new WebsocketCommunicator(app, "/?ada").connect()).rejects.toThrow("boom");
  }
});

it("counts neither requests nor what has no name", async () => {
  const app = limitConnections({ max: 1, by: byQuery })(welcome);
  for (let count = 0; count < 3; count++) {
    expect(await open(app, "").connect()).toMatchObject({ connected: true });
    const request = new HttpCommunicator(app, "GET", "/?ada");
    expect((await request.getResponse()).status).toBe(204);
  }
});

it("refuses a bound that is none", () => {
  expect(() => limitConnections({ max: 0, by: byQuery })).toThrow(ConfigurationError);
});
