import { FakeClock, HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import type { App, Connection, Receive, Send, SendEvent } from "../app.js";
import { asApp } from "../consumers/as-app.js";
import { HttpConsumer } from "../consumers/http-consumer.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { ClientDisconnected, DenyConnection, ProtocolError } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import { middleware } from "../middleware.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import { fromFirstMessage, fromHeader } from "./carriers.js";
import { requireUser } from "./require-user.js";
import { TokenAuth, type TokenAuthOptions } from "./token-auth.js";
import type { User } from "./user.js";

const start = Date.UTC(2026, 0, 1);
const ada: User = { isAuthenticated: true, id: "ada", username: "ada" };
const headers: [string, string][] = [["authorization", "Bearer good"]];
const refused = {
  status: 401,
  headers: [
    ["content-type", "application/json"],
    ["www-authenticate", 'Bearer error="invalid_token"'],
  ],
};
const refusedBody = '{"detail":"Invalid token."}';

function world(grant: Partial<Grant> = {}) {
  const clock = new FakeClock(start);
  const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock });
  const known: Grant = { user: ada, tokenId: "t1", expiresAt: undefined, ...grant };
  const verifier: TokenVerifier = { verify: (token) => (token === "good" ? known : undefined) };
  const slow: TokenVerifier = { verify: async (token) => verifier.verify(token) };
  const options = { verifier, from: [fromHeader(), fromFirstMessage()], leases, clock };
  const socket = (app: App<"websocket", MaybeAuthenticated>, more: Partial<TokenAuthOptions<User>> = {}) =>
    new WebsocketCommunicator(TokenAuth(app, { ...options, ...more }), "/", { headers });
  const anonymous = (app: App<"websocket", MaybeAuthenticated>, more: Partial<TokenAuthOptions<User>> = {}) =>
    new WebsocketCommunicator(TokenAuth(app, { ...options, ...more }), "/");
  const request = (app: App<"http">) => new HttpCommunicator(TokenAuth(app, options), "GET", "/", { headers });
  return { clock, leases, options, slow, socket, anonymous, request };
}

/** Echoes, and notes what happens to it. */
function echo() {
  const events: string[] = [];
  class Echo extends WebsocketConsumer {
    override async receive(data: string | Uint8Array) {
      events.push(`receive ${data}`);
      await this.send(`echo ${data}`);
    }
    override async disconnect(code: number, reason: string) {
      events.push(`disconnect ${code} ${reason}`);
      await this.send("too late");
    }
  }
  return { events, app: asApp(Echo) };
}

describe("the lease of a WebSocket", () => {
  test.each(["revoked", "logged_out", "password_changed", "disabled"] as const)("ends it: %s", async (reason) => {
    const { leases, socket } = world();
    const { app, events } = echo();
    const client = socket(app);
    await client.connect();
    client.sendTo("a");
    expect(await client.receiveFrom()).toBe("echo a");
    expect(leases.leasesOf("ada")).toEqual([{ tokenId: "t1", sessionId: undefined, since: start }]);
    await leases.revokeUser("ada", reason);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason });
    await client.disconnect();
    expect(events).toEqual(["receive a", `disconnect 4401 ${reason}`]);
    expect(leases.size).toBe(0);
    expect(client.logger.lines).toEqual([]);
  });

  test("ends it when the token expires", async () => {
    const { clock, socket } = world({ expiresAt: start + 1_000 });
    const { app } = echo();
    const client = socket(app);
    await client.connect();
    await clock.advance(999);
    expect(await client.receiveNothing(0)).toBe(true);
    await clock.advance(1);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
  });

  test("begins with the accept", async () => {
    const { leases, socket } = world();
    let accept = (): void => {};
    const client = socket(async (_scope, receive, send) => {
      await new Promise<void>((resolve) => {
        accept = resolve;
      });
      await send({ type: "websocket.accept" });
      await receive.pipe(() => {});
    });
    const connected = client.connect();
    await Promise.resolve();
    expect(leases.size).toBe(0);
    accept();
    await connected;
    expect(leases.size).toBe(1);
  });

  test("is not for who is anonymous", async () => {
    const { leases, options } = world();
    const { app } = echo();
    const client = new WebsocketCommunicator(TokenAuth(app, { ...options, from: [fromHeader()] }), "/");
    await client.connect();
    expect(leases.size).toBe(0);
  });

  test("drops what is sent after its end, and what had come before it and was not read", async () => {
    const { leases, socket } = world();
    const events: string[] = [];
    let proceed = (): void => {};
    const client = socket((_scope, receive, send) =>
      receive.pipe(async (event) => {
        events.push(event.type === "websocket.receive" ? `${event.text}` : event.type);
        if (event.type === "websocket.connect") await send({ type: "websocket.accept" });
        if (event.type !== "websocket.receive") return;
        await new Promise<void>((resolve) => {
          proceed = resolve;
        });
        await send({ type: "websocket.send", text: "too late" });
        await send({ type: "websocket.close", code: 4000 });
      }),
    );
    await client.connect();
    for (const text of ["a", "b", "c"]) client.sendTo(text);
    await leases.revokeToken("t1");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
    proceed();
    await client.disconnect();
    expect(events).toEqual(["websocket.connect", "a", "websocket.disconnect"]);
  });

  test("ends a dialogue, too", async () => {
    const { leases, socket } = world();
    const events: unknown[] = [];
    const client = socket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      events.push(await receive(), await receive());
      events.push(await receive().catch((error: unknown) => error));
    });
    await client.connect();
    client.sendTo("a");
    await client.receiveNothing(0);
    await leases.revokeToken("t1");
    await client.receiveClose();
    await client.disconnect();
    expect(events).toEqual([
      { type: "websocket.receive", text: "a" },
      { type: "websocket.disconnect", code: 4401, reason: "revoked" },
      expect.any(ClientDisconnected),
    ]);
  });

  test("passes over the messages that a dialogue has not read", async () => {
    const { leases, socket } = world();
    const events: unknown[] = [];
    let proceed = (): void => {};
    const client = socket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await new Promise<void>((resolve) => {
        proceed = resolve;
      });
      events.push((await receive()).type);
    });
    await client.connect();
    client.sendTo("a");
    client.sendTo("b");
    await leases.revokeToken("t1");
    proceed();
    await client.disconnect();
    expect(events).toEqual(["websocket.disconnect"]);
  });
});

describe("a token that is revoked during the handshake", () => {
  const connecting = (leases: Leases): App<"websocket"> & { events: string[] } => {
    const events: string[] = [];
    class Slow extends WebsocketConsumer {
      override async connect() {
        await leases.revokeToken("t1");
        await this.accept();
        await this.send("hello");
      }
      override disconnect(code: number) {
        events.push(`disconnect ${code}`);
      }
    }
    return Object.assign(asApp(Slow), { events });
  };

  test("is refused as an invalid one", async () => {
    const { leases, socket } = world();
    const app = connecting(leases);
    const client = socket(app);
    expect(await client.connect()).toEqual({ connected: false, ...refused, body: refusedBody });
    await client.disconnect();
    expect(app.events).toEqual(["disconnect 1006"]);
    expect([leases.size, client.logger.lines]).toEqual([0, []]);
  });

  test('is accepted and closed with denial: "close"', async () => {
    const { leases, socket } = world();
    const client = socket(connecting(leases), { denial: "close" });
    expect(await client.connect()).toMatchObject({ connected: true });
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "Invalid token." });
    expect(leases.size).toBe(0);
  });

  test("or while it is being verified", async () => {
    const { leases, options } = world();
    const verifier: TokenVerifier = {
      verify: async (token) => {
        const grant = options.verifier.verify(token);
        await leases.revokeUser("ada");
        return grant;
      },
    };
    const { app } = echo();
    for (const client of [
      new WebsocketCommunicator(TokenAuth(app, { ...options, verifier }), "/", { headers }),
      new WebsocketCommunicator(TokenAuth(app, { ...options, verifier: options.verifier }), "/", { headers }),
    ]) {
      expect(await client.connect()).toMatchObject({ status: 401 });
      // The user logs in again.
      await options.clock.advance(0);
    }
    await options.clock.advance(1);
    const again = new WebsocketCommunicator(TokenAuth(app, options), "/", { headers });
    expect(await again.connect()).toMatchObject({ connected: true });
  });

  test("or has expired meanwhile", async () => {
    const { clock, options, leases } = world({ expiresAt: start });
    const client = new WebsocketCommunicator(TokenAuth(echo().app, options), "/", { headers });
    expect(await client.connect()).toMatchObject({ status: 401 });
    expect([leases.size, clock.pending]).toEqual([0, 0]);
  });
});

describe("a lease is released", () => {
  async function left(app: App<"websocket">, end: (client: WebsocketCommunicator) => unknown) {
    const { leases, clock, socket } = world({ expiresAt: start + 100_000 });
    const client = socket(app);
    const connected = await client.connect();
    await end(client);
    await client.disconnect().catch(() => {});
    await clock.advance(0);
    expect(leases.counts).toMatchObject({ leases: 0, users: 0, ended: { revoked: 0, expired: 0 } });
    await leases.close();
    expect(clock.pending).toBe(0);
    return connected;
  }
  const accepting =
    (then: (receive: Receive<"websocket">, send: Send<"websocket">) => void | Promise<void>): App<"websocket"> =>
    async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await then(receive, send);
    };

  test("when the client leaves", () => left(echo().app, (client) => client.disconnect(1000)));
  test("when the application returns", () =>
    left(
      accepting(() => {}),
      (client) => client.receiveClose(),
    ));
  test("when the application closes", async () => {
    const { leases, socket } = world();
    let sizeAfter = -1;
    const client = socket(
      accepting(async (receive, send) => {
        await send({ type: "websocket.close", code: 4000 });
        sizeAfter = leases.size;
        await receive();
      }),
    );
    await client.connect();
    expect(await client.receiveClose()).toEqual({ code: 4000, reason: "" });
    expect(sizeAfter).toBe(0);
  });
  test("when the application throws", () =>
    left(
      accepting(() => {
        throw new DenyConnection();
      }),
      (client) => client.receiveClose(),
    ));
  test("not when a close is refused", async () => {
    const { leases, socket } = world();
    const client = socket(
      accepting(async (receive, send) => {
        expect(() => send({ type: "websocket.close", code: 1 })).toThrow(TypeError);
        await receive.pipe(() => {});
      }),
    );
    await client.connect();
    expect(leases.size).toBe(1);
    await leases.revokeToken("t1");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
  });

  test("and does not begin where the handshake is refused", async () => {
    expect(
      await left(
        (_scope, _receive, send) => send({ type: "websocket.close" }),
        () => {},
      ),
    ).toMatchObject({
      status: 403,
    });
    const deny = (): never => {
      throw new DenyConnection({ status: 409 });
    };
    expect(await left(deny, () => {})).toMatchObject({ status: 409 });
    const respond: App<"websocket"> = async (_scope, _receive, send) => {
      await send({ type: "websocket.http.response.start", status: 410 });
      await send({ type: "websocket.http.response.body" });
    };
    expect(await left(respond, () => {})).toMatchObject({ status: 410 });
  });

  test("and not begun by what comes after all is over", async () => {
    const { leases, socket, request } = world();
    const late: Send<Connection>[] = [];
    const client = socket((_scope, _receive, send) => {
      late.push(send as Send<Connection>);
      return send({ type: "websocket.close" });
    });
    await client.connect();
    await request(async (_scope, _receive, send) => {
      late.push(send as Send<Connection>);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
    }).getResponse();
    await Promise.resolve();
    expect(() => late[0]?.({ type: "websocket.accept" })).toThrow(ProtocolError);
    expect(() => late[1]?.({ type: "http.response.start", status: 200 })).toThrow(ProtocolError);
    expect(leases.size).toBe(0);
  });
});

describe("the first message", () => {
  test("carries the lease of a connection that is open already", async () => {
    const { leases, anonymous } = world();
    const { app, events } = echo();
    const client = anonymous(app);
    await client.connect();
    expect(leases.size).toBe(0);
    client.sendTo('{"type":"auth","token":"good"}');
    client.sendTo("a");
    expect(await client.receiveFrom()).toBe("echo a");
    expect(leases.size).toBe(1);
    await leases.revokeToken("t1", "logged_out");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "logged_out" });
    await client.disconnect();
    expect(events).toEqual(["receive a", "disconnect 4401 logged_out"]);
    expect(leases.size).toBe(0);
  });

  test("is too late with a token that was revoked while it was verified", async () => {
    const { leases, options, anonymous } = world();
    const { app, events } = echo();
    const client = anonymous(app, {
      verifier: {
        verify: async (token) => {
          await leases.revokeToken("t1");
          return options.verifier.verify(token);
        },
      },
    });
    await client.connect();
    client.sendTo('{"type":"auth","token":"good"}');
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "Invalid token." });
    expect([events, leases.size]).toEqual([[], 0]);
  });

  test("is released where the application refuses, and needs none where nobody is known", async () => {
    const { leases, anonymous } = world();
    const refusing = anonymous(() => {
      expect(leases.size).toBe(1);
      throw new DenyConnection({ status: 403 });
    });
    await refusing.connect();
    refusing.sendTo('{"type":"auth","token":"good"}');
    expect(await refusing.receiveClose()).toEqual({ code: 4403, reason: "" });
    await refusing.disconnect();
    expect(leases.size).toBe(0);
    const stranger = anonymous(requireUser(echo().app));
    await stranger.connect();
    stranger.sendTo("a");
    expect(await stranger.receiveClose()).toEqual({
      code: 4401,
      reason: "Authentication credentials were not provided.",
    });
    expect(leases.size).toBe(0);
  });

  test("and a lease that ends while the application refuses are one close", async () => {
    const { leases, anonymous } = world();
    const client = anonymous(async () => {
      await leases.revokeToken("t1");
      throw new DenyConnection({ status: 403 });
    });
    await client.connect();
    client.sendTo('{"type":"auth","token":"good"}');
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
    await client.disconnect();
    expect(client.logger.lines).toEqual([]);
  });
});

describe("the lease of a response", () => {
  test("ends a stream, and tells the application", async () => {
    const { leases, request } = world();
    const events: string[] = [];
    class Stream extends HttpConsumer {
      override async handle() {
        await this.sendHeaders(200, { headers: [["content-type", "text/event-stream"]] });
        await this.sendBody("data: 1\n\n", { moreBody: true });
      }
      override async disconnect() {
        events.push("disconnect");
        await this.sendBody("too late");
      }
    }
    const responded = request(asApp(Stream)).getResponse();
    await new Promise((resolve) => setImmediate(resolve));
    expect(leases.size).toBe(1);
    await leases.revokeUser("ada");
    const response = await responded;
    expect([response.status, response.text()]).toEqual([200, "data: 1\n\n"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([events, leases.size]).toEqual([["disconnect"], 0]);
  });

  test("ends one that has not begun on the wire with 401", async () => {
    const { leases, request } = world();
    const events: string[] = [];
    const responded = request(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      events.push((await receive()).type, (await receive()).type);
      await send({ type: "http.response.body", body: "secret" });
    }).getResponse();
    await new Promise((resolve) => setImmediate(resolve));
    expect(leases.size).toBe(1);
    await leases.revokeToken("t1");
    const response = await responded;
    expect(response).toMatchObject(refused);
    expect(response.text()).toBe(refusedBody);
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(["http.request", "http.disconnect"]);
  });

  test("refuses one to a token that was revoked before, and gives no more of the request away", async () => {
    const { leases, request } = world();
    const events: string[] = [];
    const response = await request(async (_scope, receive, send) => {
      await leases.revokeToken("t1");
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "secret" });
      events.push((await receive()).type);
    }).getResponse();
    expect(response).toMatchObject(refused);
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(["http.disconnect"]);
  });

  test("is released with the last piece", async () => {
    const { leases, request } = world();
    const sizes: number[] = [];
    const response = await request(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 201, headers: [["x-a", "b"]] });
      sizes.push(leases.size);
      await send({ type: "http.response.body", body: "a", moreBody: true });
      sizes.push(leases.size);
      await send({ type: "http.response.body", body: "b" });
      sizes.push(leases.size);
    }).getResponse();
    expect([response.status, response.headers, response.text()]).toEqual([201, [["x-a", "b"]], "ab"]);
    expect(sizes).toEqual([1, 1, 0]);
  });

  test.each<[string, (send: Send<"http">) => unknown]>([
    ["a bad status", (send) => send({ type: "http.response.start", status: 99 })],
    ["a bad header", (send) => send({ type: "http.response.start", status: 200, headers: [["a b", ""]] })],
    ["a body first", (send) => send({ type: "http.response.body" })],
    [
      "two starts",
      (send) => {
        void send({ type: "http.response.start", status: 200 });
        return send({ type: "http.response.start", status: 200 });
      },
    ],
    ["no body", (send) => send({ type: "http.response.start", status: 200 })],
    ["nothing", () => {}],
  ])("changes nothing about what is wrong: %s", async (_, wrong) => {
    const { leases, options } = world();
    const failures: unknown[] = [];
    const app: App<"http"> = async (_scope, _receive, send) => void (await wrong(send));
    for (const guarded of [app, TokenAuth(app, options)]) {
      const client = new HttpCommunicator(guarded, "GET", "/", { headers, expectErrors: true });
      expect(await client.getResponse()).toMatchObject({ status: 500 });
      failures.push(client.logger.errors);
    }
    expect(failures[1]).toEqual(failures[0]);
    expect(leases.size).toBe(0);
  });

  test("waits for a middleware that sends later, in order, and does not mind one that fails", async () => {
    const { leases, options, clock } = world();
    const sent: string[] = [];
    const later = middleware(
      (inner) => (scope, receive, send) =>
        inner(scope, receive, async (event: SendEvent<Connection>) => {
          await Promise.resolve();
          sent.push(event.type);
          if (event.type === "http.response.body" && event.body === undefined) {
            await send(event);
            throw new Error("as asked");
          }
          await send(event);
        }),
    );
    const app: App<"http"> = async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", moreBody: true });
      await receive.pipe(() => {});
    };
    const responded = new HttpCommunicator(later(TokenAuth(app, options)), "GET", "/", {
      headers,
      clock,
    }).getResponse();
    await new Promise((resolve) => setImmediate(resolve));
    await leases.revokeToken("t1");
    expect((await responded).text()).toBe("a");
    expect(sent).toEqual(["http.response.start", "http.response.body", "http.response.body"]);
  });

  test("is released when the client has gone; one that ends just then has nobody to tell", async () => {
    const { leases, request } = world();
    let proceed = (): void => {};
    const client = request(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", moreBody: true });
      await new Promise<void>((resolve) => {
        proceed = resolve;
      });
    });
    client.getResponse().catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    const gone = client[Symbol.asyncDispose]();
    await leases.revokeToken("t1");
    expect(leases.counts.ended.revoked).toBe(1);
    proceed();
    await gone;
    expect([leases.size, client.logger.lines]).toEqual([0, []]);
  });
});

test("a slow verifier makes no difference", async () => {
  const { leases, slow, socket } = world();
  const client = socket(echo().app, { verifier: slow });
  await client.connect();
  await leases.revokeToken("t1");
  expect(await client.receiveClose()).toEqual({ code: 4401, reason: "revoked" });
});

test("without leases a connection outlives its token", async () => {
  const { clock, leases, options } = world({ expiresAt: start + 1 });
  const client = new WebsocketCommunicator(TokenAuth(echo().app, { ...options, leases: undefined }), "/", { headers });
  await client.connect();
  await leases.revokeUser("ada");
  await clock.advance(1_000);
  client.sendTo("a");
  expect(await client.receiveFrom()).toBe("echo a");
});
