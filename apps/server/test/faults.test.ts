import { once } from "node:events";
import {
  type App,
  asApp,
  fetchApp,
  fromHeader,
  HttpConsumer,
  InMemoryChannelLayer,
  JsonWebsocketConsumer,
  type Logger,
  type Middleware,
  middleware,
  ProtocolTypeRouter,
  provide,
  type Server,
  systemClock,
  TokenAuth,
} from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { chooseTransport } from "../src/transport.js";
import { describeTransports, type TransportName } from "./transports.js";

class Boom extends Error {
  override readonly name = "Boom";
}

const fail = (): never => {
  throw new Boom("boom");
};
const failLater = async (): Promise<never> => {
  await new Promise((resolve) => setImmediate(resolve));
  return fail();
};

const layer = new InMemoryChannelLayer({ clock: systemClock });
let disconnected: number[] = [];

/** A consumer that is well, but for what a subclass makes of it. */
class Well extends JsonWebsocketConsumer<{}, { "do.fail": object }> {
  static readonly handlers: readonly ["do.fail"] = ["do.fail"];
  override readonly groups = ["faults"];

  doFail(): void | Promise<void> {
    return fail();
  }

  override disconnect(code: number): void | Promise<void> {
    disconnected.push(code);
  }
}

class Connect extends Well {
  override connect = failLater;
}
class ConnectAfterAccept extends Well {
  override async connect(): Promise<void> {
    await this.accept();
    return failLater();
  }
}
class Receive extends Well {
  override receive = fail;
}
class ReceiveJson extends Well {
  override receiveJson = failLater;
}
class Disconnect extends Well {
  override disconnect(code: number): Promise<void> {
    disconnected.push(code);
    return failLater();
  }
}
class LayerHandler extends Well {
  override async receiveJson(): Promise<void> {
    await this.channelLayer.groupSend("faults", { type: "do.fail" });
  }
}
class Answer extends Well {
  override receiveJson(): void | Promise<void> {
    return this.sendJson({ answer: 42 });
  }
}
class Encode extends Answer {
  override encodeJson(): string {
    return fail();
  }
}
class ReceiveError extends Well {
  override decodeJson = fail;
  override receiveError = failLater;
}
class Schema extends Well {
  static readonly schema = {
    "~standard": { version: 1, vendor: "test", validate: failLater, types: undefined },
  } as const;
}
class Construct extends Well {
  readonly broken = fail();
}

const well = asApp(Well, { layer });
const failing: Middleware = middleware(() => fail);
const beforeLater = provide(async () => {
  await failLater();
  return {};
});
const throwsAfter = middleware((inner) => async (scope, receive, send) => {
  await inner(scope, receive, send);
  return failLater();
});
const throwsInSend: Middleware = middleware((inner) => (scope, receive, send) => {
  return inner(scope, receive, (event) => (event.type.endsWith("accept") ? send(event) : failLater()));
});

interface Place<P extends "http" | "websocket"> {
  readonly what: string;
  readonly app: App<P>;
}

/** How the connection ends for the client, and what the consumer's `disconnect` was told. */
interface WebSocketPlace extends Place<"websocket"> {
  readonly end: { readonly status: number } | { readonly code: number };
  readonly told: readonly number[];
}

const broken = { code: 1011 };
const left = { code: 1000 };
const webSocketPlaces: readonly WebSocketPlace[] = [
  { what: "the constructor", app: asApp(Construct, { layer }), end: { status: 500 }, told: [] },
  { what: "connect", app: asApp(Connect, { layer }), end: { status: 500 }, told: [1011] },
  { what: "connect, after accept", app: asApp(ConnectAfterAccept, { layer }), end: broken, told: [1011] },
  { what: "receive", app: asApp(Receive, { layer }), end: broken, told: [1011] },
  { what: "receiveJson", app: asApp(ReceiveJson, { layer }), end: broken, told: [1011] },
  { what: "disconnect", app: asApp(Disconnect, { layer }), end: left, told: [1000] },
  { what: "a handler of the layer's", app: asApp(LayerHandler, { layer }), end: broken, told: [1011] },
  { what: "encodeJson", app: asApp(Encode, { layer }), end: broken, told: [1011] },
  { what: "decodeJson and receiveError", app: asApp(ReceiveError, { layer }), end: broken, told: [1011] },
  { what: "a schema", app: asApp(Schema, { layer }), end: broken, told: [1011] },
  { what: "middleware, before", app: failing(well), end: { status: 500 }, told: [] },
  {
    what: "middleware, before, later",
    app: beforeLater(well),
    end: { status: 500 },
    told: [],
  },
  { what: "middleware, after", app: throwsAfter(well), end: left, told: [1000] },
  { what: "middleware, in send", app: throwsInSend(asApp(Answer, { layer })), end: broken, told: [1011] },
  {
    what: "a verifier",
    app: TokenAuth(well, { verifier: { verify: failLater }, from: [fromHeader()] }),
    end: { status: 503 },
    told: [],
  },
  {
    what: "a verifier, at once",
    app: TokenAuth(well, { verifier: { verify: fail }, from: [fromHeader()] }),
    end: { status: 503 },
    told: [],
  },
  {
    what: "a carrier",
    app: TokenAuth(well, { verifier: { verify: fail }, from: [{ name: "broken", find: fail }] }),
    end: { status: 500 },
    told: [],
  },
];

class Handle extends HttpConsumer {
  override handle = failLater;
}
class HandleAfterBody extends HttpConsumer {
  override async handle(): Promise<void> {
    await this.sendHeaders(200);
    await this.sendBody("some", { moreBody: true });
    return failLater();
  }
}
class HttpDisconnect extends HttpConsumer {
  override handle(): void | Promise<void> {
    return this.sendResponse(200, "well");
  }
  override disconnect = failLater;
}

const goodResponse = fetchApp(() => new Response("well"));
const brokenBody = (): Response =>
  new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(4));
        return failLater();
      },
    }),
  );

/** The status and the body for the client; `"cut"` for a body that does not end. */
interface HttpPlace extends Place<"http"> {
  readonly answer: readonly [status: number, body: string];
}

const failed = [500, "Internal Server Error\n"] as const;
const httpPlaces: readonly HttpPlace[] = [
  { what: "a fetch handler", app: fetchApp(fail), answer: failed },
  { what: "a fetch handler, later", app: fetchApp(failLater), answer: failed },
  { what: "the body of a fetch handler", app: fetchApp(brokenBody), answer: [200, "cut"] },
  { what: "a consumer", app: asApp(Handle), answer: failed },
  { what: "a consumer, in the body", app: asApp(HandleAfterBody), answer: [200, "cut"] },
  { what: "a consumer's disconnect", app: asApp(HttpDisconnect), answer: [200, "well"] },
  { what: "middleware, before", app: failing(goodResponse), answer: failed },
  { what: "middleware, after", app: throwsAfter(goodResponse), answer: [200, "well"] },
  { what: "middleware, in send", app: throwsInSend(goodResponse), answer: failed },
];

/** Opens a WebSocket and says something; resolves with its end, which is the client's own if it `leaves`. */
async function endOf(url: string, leaves: boolean): Promise<{ status: number } | { code: number }> {
  const socket = new WebSocket(url.replace("http", "ws"), { headers: { authorization: "Token t" } });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => {});
  socket.on("open", () => (leaves ? socket.close(1000) : socket.send('{"say":"something"}')));
  return new Promise((resolve) => {
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve({ status: statusCode }));
    socket.on("close", (code) => resolve({ code }));
  });
}

async function start(transport: TransportName, app: App, logger: Logger): Promise<Server> {
  const { serve } = await chooseTransport(transport, logger);
  return serve(app, { port: 0, logger });
}

/** The error at the end of the chain. */
function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error;
}

const oneLine = [expect.any(Boom)];

describeTransports((transport) => {
  it.each(webSocketPlaces)("of a WebSocket: $what", async ({ app, end, told }) => {
    disconnected = [];
    const logger = new RecordingLogger();
    const server = await start(transport, ProtocolTypeRouter({ websocket: app, http: goodResponse }), logger);
    expect(await endOf(server.url, end === left)).toEqual(end);
    expect(await (await fetch(server.url)).text()).toBe("well");
    await server.close();
    expect(disconnected).toEqual(told);
    expect(await layer.groupSend("faults", { type: "do.fail" })).toEqual({ delivered: 0, dropped: 0 });
    expect(logger.errors.map(rootCause)).toEqual(oneLine);
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });

  it.each(httpPlaces)("of a request: $what", async ({ app, answer }) => {
    const logger = new RecordingLogger();
    const server = await start(transport, ProtocolTypeRouter({ http: app, websocket: well }), logger);
    const response = await fetch(server.url);
    expect([response.status, await response.text().catch(() => "cut")]).toEqual(answer);
    expect(await endOf(server.url, true)).toEqual(left);
    await server.close();
    expect(logger.errors.map(rootCause)).toEqual(oneLine);
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });

  it("of the lifespan: start-up fails with it, and nothing listens", async () => {
    const app = ProtocolTypeRouter({ lifespan: failLater, websocket: well });
    await expect(start(transport, app, new RecordingLogger())).rejects.toBeInstanceOf(Boom);
  });

  it("of the lifespan: the end fails with it, after everybody was told", async () => {
    disconnected = [];
    const app = ProtocolTypeRouter({
      websocket: well,
      lifespan: (_scope, receive, send) =>
        receive.pipe(({ type }) =>
          type === "lifespan.startup" ? send({ type: "lifespan.startup.complete" }) : fail(),
        ),
    });
    const server = await start(transport, app, new RecordingLogger());
    const socket = new WebSocket(server.url.replace("http", "ws"));
    await once(socket, "open");
    const closed = once(socket, "close");
    await expect(server.close()).rejects.toBeInstanceOf(Boom);
    expect((await closed)[0]).toBe(1012);
    expect(disconnected).toEqual([1012]);
    await expect(fetch(server.url)).rejects.toThrow("fetch failed");
  });

  it("of the logger", async () => {
    const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail };
    const server = await start(
      transport,
      ProtocolTypeRouter({ http: fetchApp(fail), websocket: asApp(Receive, { layer }) }),
      logger,
    );
    expect((await fetch(server.url)).status).toBe(500);
    expect(await endOf(server.url, false)).toEqual(broken);
    expect(await endOf(server.url, true)).toEqual(left);
    await server.close();
    expect(server.connections).toEqual({ http: 0, websocket: 0 });
  });
});
