import { createHook } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { FakeWebSocket, settled } from "../../test/fake-connections.js";
import { connecting, type Opened, open, Recorder, receiving } from "../../test/recorder.js";
import { AcceptConnection, DenyConnection, ProtocolError, RouteNotFound, StopConsumer } from "../errors.js";
import type { Middleware } from "../middleware.js";
import { asApp } from "./as-app.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

describe("a connection", () => {
  test("is accepted by default, in the tick of the handshake", () => {
    class Echo extends Recorder {}
    expect(open(Echo).seen).toEqual(["accepted"]);
  });

  test("brings text as strings and binary as bytes, and the client's close code and reason, once", async () => {
    class Echo extends Recorder {}
    const client = open(Echo);
    client.message("hello");
    client.message(new Uint8Array(3));
    client.message("");
    client.leave(4321, "bye");
    client.leave(4321, "again");
    await settled();
    expect(client.calls).toEqual(["receive hello", "receive 3 bytes", "receive ", "disconnect 4321 bye"]);
    expect(client.running).toBe(false);
    expect(client.log.errors).toEqual([]);
  });

  test("is accepted with a subprotocol and headers", () => {
    class Spoken extends WebsocketConsumer {
      override connect() {
        return this.accept({ subprotocol: "chat.v2", headers: [["x-node", "a"]] });
      }
    }
    const client = new FakeWebSocket(asApp(Spoken), { headers: [["sec-websocket-protocol", "chat.v1, chat.v2"]] });
    expect(client.accepted).toEqual({ subprotocol: "chat.v2", headers: [["x-node", "a"]] });
  });

  test("has its scope when the fields of the class are set", async () => {
    class Greeter extends WebsocketConsumer {
      readonly greeting = `hello ${this.scope.path}`;
      override async connect() {
        await this.accept();
        await this.send(this.greeting);
      }
    }
    const client = new FakeWebSocket(asApp(Greeter), { rawPath: "/lobby" });
    await settled();
    expect(client.seen).toEqual(["accepted", "hello /lobby"]);
  });

  test("has an instance of its own", async () => {
    class Counter extends WebsocketConsumer {
      count = 0;
      override receive() {
        return this.send(String(++this.count));
      }
    }
    const app = asApp(Counter);
    const [first, second] = [new FakeWebSocket(app), new FakeWebSocket(app)];
    first.message("");
    first.message("");
    second.message("");
    expect([first.seen, second.seen]).toEqual([
      ["accepted", "1", "2"],
      ["accepted", "1"],
    ]);
  });

  test("is handled without a promise per message by a synchronous method", () => {
    class Echo extends WebsocketConsumer {
      override receive(data: string | Uint8Array) {
        return this.send(data);
      }
    }
    const client = open(Echo);
    client.message("warm");
    let promises = 0;
    const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) }).enable();
    for (let index = 0; index < 10; index++) client.message("x");
    hook.disable();
    expect(client.seen.length).toBe(12);
    expect(promises).toBe(0);
  });

  test("is handled one message at a time, in order", async () => {
    const gates: (() => void)[] = [];
    class Slow extends Recorder {
      override async receive(data: string | Uint8Array) {
        this.calls.push(`begin ${data}`);
        await new Promise<void>((resolve) => gates.push(resolve));
        this.calls.push(`end ${data}`);
      }
    }
    const client = open(Slow);
    for (const data of ["a", "b"]) client.message(data);
    client.leave();
    await settled();
    expect(client.calls).toEqual(["begin a"]);
    gates[0]?.();
    await settled();
    expect(client.calls).toEqual(["begin a", "end a", "begin b"]);
    gates[1]?.();
    await settled();
    expect(client.calls).toEqual(["begin a", "end a", "begin b", "end b", "disconnect 1001"]);
  });

  test("whose constructor throws is answered with 500", async () => {
    class Broken extends WebsocketConsumer {
      constructor(context: never) {
        super(context);
        throw new Error("no room");
      }
    }
    const client = open(Broken);
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "no room" })]);
    expect(client.running).toBe(false);
  });
});

describe("a handshake", () => {
  test.each([
    ["close() refuses it with 403", (consumer: Opened) => consumer.close(4001), "denied 403"],
    [
      "DenyConnection refuses it with a status",
      () => {
        throw new DenyConnection({ status: 429 });
      },
      "denied 429",
    ],
    ["a rejected DenyConnection does too", () => Promise.reject(new DenyConnection({ status: 401 })), "denied 401"],
    [
      "RouteNotFound is 404",
      () => {
        throw new RouteNotFound("no such room");
      },
      "denied 404",
    ],
    [
      "StopConsumer refuses it with 403",
      () => {
        throw new StopConsumer();
      },
      "denied 403",
    ],
  ])("%s, and ends with disconnect(1006)", async (_name, connect, outcome) => {
    const client = open(connecting(connect));
    await settled();
    expect(client.seen).toEqual([outcome]);
    expect(client.calls).toEqual(["disconnect 1006"]);
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(false);
  });

  test.each([
    [
      "a throw",
      () => {
        throw new Error("database");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("database"))],
  ])("that ends with %s is answered with 500, disconnect(1011) and one log line", async (_name, connect) => {
    const client = open(connecting(connect));
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(client.calls).toEqual(["disconnect 1011 internal error"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "database" })]);
    expect(client.running).toBe(false);
  });

  test("that is refused with a 5xx is a refusal to the consumer, and a failure to the log", async () => {
    const denied = new DenyConnection({ status: 503 });
    const client = open(connecting(() => Promise.reject(denied)));
    await settled();
    expect(client.seen).toEqual(["denied 503"]);
    expect(client.calls).toEqual(["disconnect 1006"]);
    expect(client.log.errors).toEqual([denied]);
  });

  test("keeps the headers and the body of a denial", async () => {
    const denial = { status: 401, headers: [["www-authenticate", "Bearer"]] as const, body: "who?" };
    const client = open(connecting(() => Promise.reject(new DenyConnection(denial))));
    await settled();
    expect(client.denied).toEqual(denial);
  });

  test.each([
    [
      "thrown",
      () => {
        throw new AcceptConnection({ headers: [["x-by", "throw"]] });
      },
    ],
    ["rejected with", () => Promise.reject(new AcceptConnection({ headers: [["x-by", "throw"]] }))],
  ])("is accepted by AcceptConnection %s", async (_name, connect) => {
    const client = open(connecting(connect));
    await settled();
    client.message("hello");
    expect(client.accepted?.headers).toEqual([["x-by", "throw"]]);
    expect(client.calls).toEqual(["receive hello"]);
  });

  test("that the client gives up is not an error of the consumer that accepts it later", async () => {
    let admit = (): void => {};
    class Careful extends Recorder {
      override async connect() {
        await new Promise<void>((resolve) => {
          admit = resolve;
        });
        await this.accept();
        await this.send("welcome");
        this.calls.push("connected");
      }
    }
    const client = open(Careful);
    client.leave(1006);
    admit();
    await settled();
    expect(client.calls).toEqual(["connected", "disconnect 1006"]);
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(false);
  });

  test("that was never accepted lets send() say so", async () => {
    const client = open(connecting((consumer) => consumer.send("early")));
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(client.log.errors).toEqual([expect.any(ProtocolError)]);
    expect(client.log.errors).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/^expected "websocket.accept".*got "websocket.send"$/),
      }),
    ]);
  });

  test("cannot be accepted twice", async () => {
    const client = open(
      connecting(async (consumer) => {
        await consumer.accept();
        await consumer.accept();
      }),
    );
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.log.errors).toEqual([
      expect.objectContaining({ message: 'expected "websocket.send" or "websocket.close", got "websocket.accept"' }),
    ]);
  });
});

describe("middleware that sends asynchronously", () => {
  test("may find the client gone later, which is no failure of the consumer", async () => {
    const late: Middleware = (inner) => (scope, receive, send) =>
      inner(scope, receive, async (event) => {
        if (event.type !== "websocket.accept") await settled();
        await send(event);
      });
    const client = open(
      receiving((self) => self.send("too late")),
      late,
    );
    await settled();
    client.message("a");
    client.leave();
    await settled();
    await settled();
    expect(client.calls).toEqual(["received", "disconnect 1001"]);
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(false);
  });
});

describe("back-pressure", () => {
  test("is a promise, and holds the next message", async () => {
    const client = open(receiving((consumer) => consumer.send("echo")));
    client.writeStatus = "buffered";
    client.message("a");
    client.message("b");
    await settled();
    expect(client.calls).toEqual(["received"]);
    client.drained();
    await settled();
    expect(client.calls).toEqual(["received", "received"]);
  });

  test("ends when the client leaves", async () => {
    const client = open(receiving((consumer) => consumer.send("echo")));
    client.writeStatus = "buffered";
    client.message("a");
    client.leave();
    await settled();
    expect(client.calls).toEqual(["received", "disconnect 1001"]);
    expect(client.log.errors).toEqual([]);
  });
});
