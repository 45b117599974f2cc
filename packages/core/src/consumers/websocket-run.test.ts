import { describe, expect, test } from "vitest";
import { FakeWebSocket, KeptLog, settled } from "../../test/fake-connections.js";
import { connecting, type Opened, open, Recorder, receiving } from "../../test/recorder.js";
import { AcceptConnection, ClientDisconnected, DenyConnection, ProtocolError, StopConsumer } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import { asApp } from "./as-app.js";

describe("the end", () => {
  test.each([
    [
      "a throw",
      () => {
        throw new Error("bug");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("bug"))],
  ])("by %s in receive() is 1011, and disconnect runs", async (_name, receive) => {
    const client = open(receiving(receive));
    client.message("a");
    client.message("b");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.calls).toEqual(["received", "disconnect 1011 internal error"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "bug" })]);
    expect(client.running).toBe(false);
  });

  test("by StopConsumer is a close with 1000", async () => {
    const client = open(
      receiving(() => {
        throw new StopConsumer();
      }),
    );
    client.message("a");
    client.message("b");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1000"]);
    expect(client.calls).toEqual(["received", "disconnect 1000"]);
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(false);
  });

  test("by the consumer's close() stops the messages, and disconnect gets its code and reason", async () => {
    const client = open(receiving((consumer) => consumer.close(4007, "why")));
    for (const data of ["a", "b", "c"]) client.message(data);
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 4007 why"]);
    expect(client.calls).toEqual(["received", "disconnect 4007 why"]);
    expect(client.running).toBe(false);
  });

  test("keeps the messages out that came before a close() and were waiting", async () => {
    const client = open(
      receiving(async (consumer) => {
        await settled();
        await consumer.close();
      }),
    );
    for (const data of ["a", "b"]) client.message(data);
    await settled();
    await settled();
    expect(client.calls).toEqual(["received", "disconnect 1000"]);
  });

  test("once it has come, send() and close() do nothing, whoever brought it", async () => {
    const opened: Opened[] = [];
    const consumer = connecting(async (self) => {
      opened.push(self);
      await self.accept();
    });
    const closing = open(consumer);
    const leaving = open(consumer);
    const [first, second] = opened;
    await first?.close(4000);
    leaving.leave();
    for (const self of [first, second]) {
      await self?.send("late");
      await self?.close(4999);
    }
    await settled();
    for (const self of [first, second]) await self?.send("later");
    expect(closing.seen).toEqual(["accepted", "closed 4000"]);
    expect(leaving.seen).toEqual(["accepted"]);
    expect([...closing.log.errors, ...leaving.log.errors]).toEqual([]);
  });

  test("is not brought by a close frame that cannot be", async () => {
    const client = open(
      receiving((consumer) => {
        expect(() => consumer.close(1005)).toThrow(TypeError);
        expect(() => consumer.close(4000, "x".repeat(124))).toThrow(TypeError);
        return consumer.send("still here");
      }),
    );
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "still here"]);
    expect(client.log.errors).toEqual([]);
  });

  test.each([
    [true, "closed 1000"],
    [4002, "closed 4002"],
    [false, undefined],
  ])("send(data, { close: %s }) brings it after the message", async (close, outcome) => {
    const client = open(receiving((consumer) => consumer.send("last", { close })));
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "last", ...(outcome === undefined ? [] : [outcome])]);
  });

  test("send with close waits for a client that is behind", async () => {
    const client = open(receiving((consumer) => consumer.send("last", { close: 4002 })));
    client.writeStatus = "buffered";
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "last"]);
    client.drained();
    await settled();
    expect(client.seen).toEqual(["accepted", "last", "closed 4002"]);
  });

  test("by a client that reads too slowly is 1013 and no failure of the consumer", async () => {
    const client = open(receiving((consumer) => consumer.send("much")));
    client.writeStatus = "dropped";
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1013 slow consumer"]);
    expect(client.calls).toEqual(["received", "disconnect 1013 slow consumer"]);
    expect(client.log.errors).toEqual([]);
  });

  test("leaves nothing that disconnect() could send with", async () => {
    class Farewell extends Recorder {
      override receive(): void {
        throw new Error("bug");
      }
      override async disconnect(): Promise<void> {
        await this.send("bye");
        this.calls.push("said");
      }
    }
    const client = open(Farewell);
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.calls).toEqual(["said"]);
  });

  test("keeps the code of a close() that a throw follows", async () => {
    const client = open(
      receiving(async (consumer) => {
        await consumer.close(4010);
        throw new Error("after all");
      }),
    );
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 4010"]);
    expect(client.calls).toEqual(["received", "disconnect 4010"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "after all" })]);
  });

  test.each([
    ["AcceptConnection", new AcceptConnection(), "expected AcceptConnection to be thrown in connect() only"],
    ["DenyConnection", new DenyConnection(), "expected DenyConnection before accept only"],
  ])("by %s out of place is a ProtocolError that says so", async (_name, thrown, message) => {
    const client = open(
      receiving(() => {
        throw thrown;
      }),
    );
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.calls).toEqual(["received", "disconnect 1011 internal error"]);
    const [error] = client.log.errors;
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ message: expect.stringContaining(message), cause: thrown });
  });

  test("by ClientDisconnected, while the client is there, is as much a failure as any", async () => {
    const client = open(
      receiving(() => {
        throw new ClientDisconnected("somebody else's client");
      }),
    );
    client.message("a");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.calls).toEqual(["received", "disconnect 1011 internal error"]);
  });

  test("by a throw in disconnect() itself reaches the session's log", async () => {
    class Clumsy extends Recorder {
      override disconnect(): void {
        throw new Error("in disconnect");
      }
    }
    const client = open(Clumsy);
    client.leave();
    await settled();
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "in disconnect" })]);
    expect(client.running).toBe(false);
  });

  test("by StopConsumer in disconnect() is as good as any", async () => {
    class Stopping extends Recorder {
      override disconnect(): Promise<void> {
        return Promise.reject(new StopConsumer());
      }
    }
    const client = open(Stopping);
    client.leave();
    await settled();
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(false);
  });

  test("shows the first failure, and logs the ones that follow it", async () => {
    const log = new KeptLog();
    const inner = new InMemoryChannelLayer();
    const layer: ChannelLayer = withChannelClose(inner, () => Promise.reject(new Error("third: close")));
    class Clumsy extends Recorder {
      override readonly groups = ["room"];
      override receive(): void {
        throw new Error("first: receive");
      }
      override disconnect(): void {
        throw new Error("second: disconnect");
      }
    }
    const client = new FakeWebSocket(asApp(Clumsy, { layer, logger: log }));
    await settled();
    client.message("a");
    await settled();
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "first: receive" })]);
    expect(log.errors.map((error) => (error as Error).message).sort()).toEqual(["second: disconnect", "third: close"]);
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
  });
});

function withChannelClose(layer: ChannelLayer, close: () => Promise<void>): ChannelLayer {
  return new Proxy(layer, {
    get(target, key) {
      if (key === "open") {
        return async () => {
          const channel = await target.open();
          return { name: channel.name, receive: () => channel.receive(), pipe: channel.pipe.bind(channel), close };
        };
      }
      const member: unknown = Reflect.get(target, key);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
