import { MemoryBrokerServer } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import { FakeWebSocket, KeptLog, settled } from "../../test/fake-connections.js";
import { ConfigurationError, LayerUnavailable, StopConsumer } from "../errors.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { ChannelLayer, LayerGap } from "../ports/channel-layer.js";
import { asApp } from "./as-app.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

interface ChatEvents {
  "chat.message": { text: string };
  "chat.stop": {};
}

/** A member of the room in its path, which hands on what it gets and writes down what is called. */
class Chat extends WebsocketConsumer<{}, ChatEvents> {
  static readonly handlers = ["chat.message", "chat.stop"] as const;
  readonly room = `room${this.scope.path.replaceAll("/", ".")}`;
  override readonly groups = [this.room];

  override async receive(data: string | Uint8Array) {
    await this.channelLayer.groupSend(this.room, { type: "chat.message", text: String(data) });
  }
  override disconnect(code: number) {
    ends.push(code);
  }
  chatMessage({ text }: { text: string }): void | Promise<void> {
    heard.push(text);
    if (text === "throw") throw new Error("in a handler");
    if (text === "reject") return Promise.reject(new Error("in a handler"));
    if (text === "close") return this.close(4000);
    return this.send(text);
  }
  chatStop() {
    throw new StopConsumer();
  }
}

let ends: number[] = [];
let heard: string[] = [];

async function openChat(layer: ChannelLayer, rawPath = "/a"): Promise<FakeWebSocket> {
  const client = new FakeWebSocket(asApp(Chat, { layer }), { rawPath });
  await settled();
  ends = [];
  heard = [];
  return client;
}

describe("a consumer in a channel layer", () => {
  test("hears its group, itself included, and no other", async () => {
    const layer = new InMemoryChannelLayer();
    const [first, second, elsewhere] = [await openChat(layer), await openChat(layer), await openChat(layer, "/b")];
    first.message("hi");
    await settled();
    expect(first.seen).toEqual(["accepted", "hi"]);
    expect(second.seen).toEqual(["accepted", "hi"]);
    expect(elsewhere.seen).toEqual(["accepted"]);
  });

  test("leaves its group and gives its channel back when the client leaves", async () => {
    const layer = new InMemoryChannelLayer();
    const [first, second] = [await openChat(layer), await openChat(layer)];
    second.leave();
    await settled();
    expect(layer.counts).toEqual({ channels: 1, groups: 1 });
    expect(await layer.groupSend("room.a", { type: "chat.message", text: "hi" })).toEqual({ delivered: 1, dropped: 0 });
    expect(first.seen).toEqual(["accepted", "hi"]);
    expect(second.running).toBe(false);
    expect(ends).toEqual([1001]);
  });

  test.each(["throw", "reject"])("that fails in a handler by a %s is closed with 1011 and leaves", async (text) => {
    const layer = new InMemoryChannelLayer();
    const client = await openChat(layer);
    for (const each of [text, "never seen"]) await layer.groupSend("room.a", { type: "chat.message", text: each });
    client.message("nor this");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "in a handler" })]);
    expect(ends).toEqual([1011]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
    expect(client.running).toBe(false);
  });

  test("may stop itself in a handler", async () => {
    const layer = new InMemoryChannelLayer();
    const client = await openChat(layer);
    await layer.groupSend("room.a", { type: "chat.stop" });
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1000"]);
    expect(ends).toEqual([1000]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });

  test("hears nothing after its own close()", async () => {
    const layer = new InMemoryChannelLayer();
    const client = await openChat(layer);
    for (const text of ["one", "close", "two"]) void layer.groupSend("room.a", { type: "chat.message", text });
    await settled();
    expect(client.seen).toEqual(["accepted", "one", "closed 4000"]);
    expect(heard).toEqual(["one", "close"]);
    expect(ends).toEqual([4000]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });

  test("hears nothing after its client has left, not even what was sent before", async () => {
    class Slow extends Chat {
      override async chatMessage({ text }: { text: string }) {
        heard.push(text);
        await settled();
      }
    }
    const layer = new InMemoryChannelLayer();
    const client = new FakeWebSocket(asApp(Slow, { layer }), { rawPath: "/a" });
    await settled();
    heard = [];
    void layer.groupSend("room.a", { type: "chat.message", text: "one" });
    client.leave();
    void layer.groupSend("room.a", { type: "chat.message", text: "two" });
    await settled();
    await settled();
    expect(heard).toEqual(["one"]);
    expect(client.running).toBe(false);
  });

  test("has a channel for its handlers, though it has no groups", async () => {
    class Alone extends Chat {
      override readonly groups = [];
      override async connect() {
        await this.accept();
        await this.channelLayer.send(this.channelName, { type: "chat.message", text: "to myself" });
      }
    }
    const client = new FakeWebSocket(asApp(Alone, { layer: new InMemoryChannelLayer() }));
    await settled();
    expect(client.seen).toEqual(["accepted", "to myself"]);
  });

  test("is not harmed by a message that it has no handler for", async () => {
    const layer = new InMemoryChannelLayer();
    const logger = new KeptLog();
    const client = new FakeWebSocket(asApp(Chat, { layer, logger }), { rawPath: "/a" });
    await settled();
    await layer.groupSend("room.a", { type: "disconnect" });
    await layer.groupSend("room.a", { type: "chat.message", text: "still here" });
    await settled();
    expect(client.seen).toEqual(["accepted", "still here"]);
    expect(logger.warnings).toEqual([{ consumer: "Chat", type: "disconnect", unhandled: 1 }]);
  });

  test("has joined before connect(), and gets messages when that has returned", async () => {
    const layer = new InMemoryChannelLayer();
    let admit = (): void => {};
    class Careful extends Chat {
      override async connect() {
        await this.channelLayer.groupSend(this.room, { type: "chat.message", text: "from within connect" });
        await new Promise<void>((resolve) => {
          admit = resolve;
        });
        await this.accept();
      }
    }
    const client = new FakeWebSocket(asApp(Careful, { layer }), { rawPath: "/a" });
    await settled();
    expect(await layer.groupSend("room.a", { type: "chat.message", text: "meanwhile" })).toMatchObject({
      delivered: 1,
    });
    await settled();
    expect(client.seen).toEqual([]);
    admit();
    await settled();
    expect(client.seen).toEqual(["accepted", "from within connect", "meanwhile"]);
  });

  test("handles one event at a time, in the order of arrival, from the socket and the layer", async () => {
    const layer = new InMemoryChannelLayer();
    const log: string[] = [];
    const gates: (() => void)[] = [];
    class Slow extends WebsocketConsumer<{}, { "chat.message": { text: string } }> {
      static readonly handlers = ["chat.message"] as const;
      override readonly groups = ["room"];
      override receive(data: string | Uint8Array) {
        return this.take(`socket ${data}`);
      }
      chatMessage({ text }: { text: string }) {
        return this.take(`layer ${text}`);
      }
      async take(event: string) {
        log.push(`begin ${event}`);
        await new Promise<void>((resolve) => gates.push(resolve));
        log.push(`end ${event}`);
      }
    }
    const client = new FakeWebSocket(asApp(Slow, { layer }));
    await settled();
    for (const number of ["1", "2"]) {
      client.message(number);
      await layer.groupSend("room", { type: "chat.message", text: number });
    }
    client.leave();
    for (let turn = 0; turn < 4; turn++) {
      await settled();
      gates[turn]?.();
    }
    await settled();
    expect(log).toEqual(
      ["socket 1", "layer 1", "socket 2", "layer 2"].flatMap((event) => [`begin ${event}`, `end ${event}`]),
    );
    expect(client.running).toBe(false);
  });

  test("that is busy drops what its channel cannot hold, and lives on", async () => {
    const layer = new InMemoryChannelLayer({ capacity: 2 });
    const client = await openChat(layer);
    client.writeStatus = "buffered";
    const sent = [];
    for (const text of ["a", "b", "c", "d"]) sent.push(await layer.groupSend("room.a", { type: "chat.message", text }));
    expect(sent.map(({ dropped }) => dropped)).toEqual([0, 0, 0, 1]);
    client.drained();
    await settled();
    expect(client.seen).toEqual(["accepted", "a", "b", "c"]);
  });

  test("sends to one other by its channel name", async () => {
    const layer = new InMemoryChannelLayer();
    class Named extends Chat {
      override async connect() {
        await this.accept();
        await this.send(this.channelName);
      }
    }
    const client = new FakeWebSocket(asApp(Named, { layer }), { rawPath: "/a" });
    await settled();
    await layer.send(String(client.seen[1]), { type: "chat.message", text: "for you" });
    await settled();
    expect(client.seen[2]).toBe("for you");
  });
});

describe("a consumer that cannot join", () => {
  class Joining extends WebsocketConsumer {
    override readonly groups = ["good", "bad name"];
    override connect(): never {
      throw new Error("connect() was called without its groups");
    }
    override disconnect(code: number) {
      ends.push(code);
    }
  }

  test("is answered with 500, leaves what it had joined, and is told", async () => {
    ends = [];
    const layer = new InMemoryChannelLayer();
    const client = new FakeWebSocket(asApp(Joining, { layer }));
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(client.log.errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^expected a group name/) }),
    ]);
    expect(ends).toEqual([1011]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
    expect(client.running).toBe(false);
  });

  test("waits for the groups that are still being joined before it leaves them", async () => {
    const layer = new InMemoryChannelLayer();
    let join = (): void => {};
    const slow = Object.assign(Object.create(layer) as ChannelLayer, {
      open: () => layer.open(),
      groupAdd: async (group: string, channel: string) => {
        if (group === "good") {
          await new Promise<void>((resolve) => {
            join = resolve;
          });
        }
        await layer.groupAdd(group, channel);
      },
    });
    const client = new FakeWebSocket(asApp(Joining, { layer: slow }));
    await settled();
    expect(client.seen).toEqual([]);
    join();
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });

  test("because the layer is gone is answered with 503 and told, too", async () => {
    ends = [];
    const layer = new InMemoryChannelLayer();
    await layer.close();
    const client = new FakeWebSocket(asApp(Joining, { layer }));
    await settled();
    expect(client.seen).toEqual(["denied 503"]);
    expect(client.log.errors).toEqual([expect.any(LayerUnavailable)]);
    expect(ends).toEqual([1011]);
  });

  test("because there is no layer fails at its first connection", async () => {
    const client = new FakeWebSocket(asApp(Joining));
    await settled();
    expect(client.seen).toEqual(["denied 500"]);
    expect(client.log.errors).toEqual([expect.any(ConfigurationError)]);
    expect(client.log.errors).toEqual([
      expect.objectContaining({ message: "expected asApp(Joining, { layer }): it has groups" }),
    ]);
  });
});

describe("a consumer without a layer", () => {
  test("that has handlers is not built", () => {
    class Handling extends WebsocketConsumer {
      static readonly handlers = ["chat.message"] as const;
      chatMessage() {}
    }
    expect(() => asApp(Handling)).toThrow(ConfigurationError);
    expect(() => asApp(Handling)).toThrow("expected asApp(Handling, { layer }): it has static handlers");
  });

  test("that uses one is told what to do", async () => {
    class Using extends WebsocketConsumer {
      override async connect() {
        await this.channelLayer.groupSend("room", { type: "a" });
      }
    }
    const client = new FakeWebSocket(asApp(Using));
    await settled();
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "expected asApp(Using, { layer })" })]);
  });

  test("that has no channel cannot use its name", async () => {
    class Using extends WebsocketConsumer {
      override connect() {
        return this.send(this.channelName);
      }
    }
    const client = new FakeWebSocket(asApp(Using, { layer: new InMemoryChannelLayer() }));
    await settled();
    expect(client.log.errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining("expected Using to have groups or static handlers") }),
    ]);
  });
});

describe("a gap in the channel layer", () => {
  class Careful extends WebsocketConsumer<{}, { "layer.gap": LayerGap }> {
    static readonly handlers = ["layer.gap"] as const;
    override readonly groups = ["room.a"];
    layerGap({ reason }: LayerGap) {
      return this.send(`gap: ${reason}`);
    }
  }

  test("is told to a consumer that lists it, and bothers nobody else", async () => {
    const server = new MemoryBrokerServer();
    const layer = new BrokeredChannelLayer(server.broker());
    const careful = new FakeWebSocket(asApp(Careful, { layer }));
    const careless = await openChat(layer);
    expect(careless.seen).toEqual(["accepted"]);
    server.stop();
    server.start();
    await settled();
    expect(careful.seen).toEqual(["accepted", "gap: unavailable"]);
    await layer.groupSend("room.a", { type: "chat.message", text: "hi" });
    await settled();
    expect(careless.seen).toEqual(["accepted", "hi"]);
    expect(careless.log).toMatchObject({ errors: [], warnings: [] });
    await layer.close();
  });

  test("comes to a consumer that was too busy for all its messages", async () => {
    const layer = new InMemoryChannelLayer({ capacity: 1 });
    let release = (): void => {};
    class Busy extends Careful {
      override receive() {
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      }
    }
    const busy = new FakeWebSocket(asApp(Busy, { layer }));
    await settled();
    busy.message("work");
    await settled();
    // One is in the consumer's hands, one waits, one is lost.
    for (let count = 0; count < 3; count++) await layer.groupSend("room.a", { type: "unheard.of" });
    release();
    await settled();
    expect(busy.seen).toEqual(["accepted", "gap: full"]);
  });
});

describe("asApp", () => {
  test("takes consumer classes only", () => {
    class Other {
      readonly scope = {};
    }
    expect(() => asApp(Other)).toThrow(
      "expected a class that extends WebsocketConsumer, HttpConsumer or WorkerConsumer",
    );
  });

  test("checks the handlers that the class lists", () => {
    class Odd extends WebsocketConsumer {
      static readonly handlers = ["chat.message"] as const;
    }
    expect(() => asApp(Odd, { layer: new InMemoryChannelLayer() })).toThrow("no method chatMessage()");
  });
});
