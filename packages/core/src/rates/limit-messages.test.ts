import { FakeClock, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { ConfigurationError } from "../errors.js";
import { provide, stack } from "../middleware.js";
import { limitMessages } from "./limit-messages.js";

const tooMany = { code: 4429, reason: "too many messages" };

/** Answers each message with itself, twice, and notes what it hears. */
function echo(heard: unknown[] = []): App<"websocket"> {
  return (_scope, receive, send) =>
    receive.pipe(async (event) => {
      if (event.type === "websocket.connect") return send({ type: "websocket.accept" });
      heard.push(event.type === "websocket.receive" ? event.text : [event.code, event.reason]);
      if (event.type === "websocket.receive") await send({ type: "websocket.send", text: event.text ?? "" });
    });
}

/** The same, by `receive()`. */
function pulling(heard: unknown[]): App<"websocket"> {
  return async (_scope, receive, send) => {
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.connect") await send({ type: "websocket.accept" });
      else if (event.type === "websocket.disconnect") return void heard.push([event.code, event.reason]);
      else {
        heard.push(event.text);
        await send({ type: "websocket.send", text: event.text ?? "" });
      }
    }
  };
}

async function open(app: App<"websocket">): Promise<WebsocketCommunicator> {
  const client = new WebsocketCommunicator(app, "/");
  await client.connect();
  return client;
}

describe.each([
  ["pipe", echo],
  ["pull", pulling],
])("an application that hears by %s", (_, application) => {
  it("does not hear what is too much, but that the connection has ended", async () => {
    const heard: unknown[] = [];
    const clock = new FakeClock();
    const client = await open(limitMessages({ perSecond: 1, burst: 2, clock })(application(heard)));
    for (const text of ["a", "b"]) {
      client.sendTo(text);
      expect(await client.receiveFrom()).toBe(text);
    }
    await clock.advance(1_000);
    for (const text of ["c", "d", "e"]) client.sendTo(text);
    expect(await client.receiveFrom()).toBe("c");
    expect(await client.receiveClose()).toEqual(tooMany);
    await client.wait();
    expect(heard).toEqual(["a", "b", "c", [4429, "too many messages"]]);
    expect(client.logger.lines).toEqual([]);
  });
});

describe("connections that count together", () => {
  function shared(clock: FakeClock, names: (string | undefined)[]): App<"websocket"> {
    const named = provide(() => ({ name: names.shift() }));
    const limit = limitMessages({
      perSecond: 1,
      burst: 2,
      clock,
      by: ({ name }: { name: string | undefined }) => name,
    });
    return stack<"websocket">().use(named).use(limit).app(echo());
  }

  it("share what there is, and a new one gains nothing", async () => {
    const clock = new FakeClock();
    const app = shared(clock, ["ada", "ada", "charles", "ada", "ada"]);
    const [one, two, other] = [await open(app), await open(app), await open(app)];
    for (const client of [one, two, other]) {
      client.sendTo("a");
      expect(await client.receiveFrom()).toBe("a");
    }
    two.sendTo("b");
    expect(await two.receiveClose()).toEqual(tooMany);
    await one.disconnect();
    await two.wait();
    const again = await open(app);
    again.sendTo("c");
    expect(await again.receiveClose()).toEqual(tooMany);
    await again.wait();
    other.sendTo("d");
    expect(await other.receiveFrom()).toBe("d");

    await clock.advance(2_000);
    expect(clock.pending).toBe(0);
    const later = await open(app);
    for (const text of ["e", "f"]) {
      later.sendTo(text);
      expect(await later.receiveFrom()).toBe(text);
    }
  });

  it("count for themselves without a name", async () => {
    const app = shared(new FakeClock(), [undefined, undefined]);
    for (const client of [await open(app), await open(app)]) {
      for (const text of ["a", "b"]) {
        client.sendTo(text);
        expect(await client.receiveFrom()).toBe(text);
      }
      client.sendTo("c");
      expect(await client.receiveClose()).toEqual(tooMany);
    }
  });
});

it("tells of each connection once", async () => {
  const told: string[] = [];
  const limit = limitMessages({ perSecond: 1, burst: 1, onExceeded: ({ path }) => void told.push(path) });
  const client = await open(limit(echo()));
  for (const text of ["a", "b", "c", "d"]) client.sendTo(text);
  await client.receiveFrom();
  expect(await client.receiveClose()).toEqual(tooMany);
  expect(told).toEqual(["/"]);
});

it.each([
  ["perSecond", { perSecond: 0 }],
  ["perSecond", { perSecond: 1.5 }],
  ["burst", { perSecond: 1, burst: 0 }],
  ["burst", { perSecond: 1, burst: 1_000_001 }],
])("refuses a %s that is none: %j", (name, options) => {
  expect(() => limitMessages(options)).toThrow(ConfigurationError);
  expect(() => limitMessages(options)).toThrow(`expected ${name} to be a whole number`);
});

it("keeps nothing of a connection whose application throws at once", async () => {
  const clock = new FakeClock();
  const failing: App<"websocket"> = () => {
    throw new Error("at once");
  };
  const limit = limitMessages({ perSecond: 1, clock, by: () => "ada" });
  await expect(open(limit(failing))).rejects.toThrow("at once");
  // What is held is forgotten by a timer when it is given back.
  expect(clock.pending).toBe(1);
  await clock.advance(2_000);
  expect(clock.pending).toBe(0);
});
