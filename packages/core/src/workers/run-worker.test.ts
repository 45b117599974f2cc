import { FakeClock, MemoryBrokerServer, RecordingLogger } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import { settled } from "../../test/fake-connections.js";
import type { App } from "../app.js";
import { ClientDisconnected, ConfigurationError, LayerUnavailable, RouteNotFound } from "../errors.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { Channel, ChannelLayer } from "../ports/channel-layer.js";
import { ChannelNameRouter } from "../routing/channel-name-router.js";
import { runWorker } from "./run-worker.js";

/** An application whose work ends when a test says so. */
class Work {
  /** In order, as in `begin a` and `end a`. */
  readonly seen: string[] = [];
  readonly #gates = new Map<string, () => void>();

  readonly app: App<"channel"> = async ({ channel }, receive) => {
    const { message } = await receive();
    const name = channel === "work" ? message.type : `${channel}:${message.type}`;
    this.seen.push(`begin ${name}`);
    await new Promise<void>((resolve) => this.#gates.set(name, resolve));
    this.seen.push(`end ${name}`);
  };

  async finish(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.#gates.get(name)?.();
      await settled();
    }
  }
}

const sendAll = async (layer: ChannelLayer, ...types: readonly string[]): Promise<void> => {
  for (const type of types) await layer.send("work", { type });
  await settled();
};

describe("runWorker", () => {
  test("runs the application once per message, with the channel in its scope", async () => {
    const layer = new InMemoryChannelLayer();
    const got: unknown[] = [];
    const worker = await runWorker(
      async (scope, receive) => {
        got.push(scope, await receive());
      },
      { layer, channels: ["work", "other"] },
    );
    await layer.send("work", { type: "a", size: 1 });
    await settled();
    await layer.send("other", { type: "b" });
    await settled();
    expect(got).toEqual([
      { type: "channel", channel: "work" },
      { type: "channel.receive", message: { type: "a", size: 1 } },
      { type: "channel", channel: "other" },
      { type: "channel.receive", message: { type: "b" } },
    ]);
    await worker.close();
  });

  test("keeps the order of a channel, one message at a time, and waits for no other channel", async () => {
    const layer = new InMemoryChannelLayer();
    const work = new Work();
    await sendAll(layer, "a", "b");
    // The same channel twice is not read twice.
    const worker = await runWorker(work.app, { layer, channels: ["work", "other", "work"] });
    await layer.send("other", { type: "c" });
    await settled();
    expect(work.seen).toEqual(["begin a", "begin other:c"]);
    await work.finish("a", "b", "other:c");
    expect(work.seen.slice(2)).toEqual(["end a", "begin b", "end b", "end other:c"]);
    await worker.close();
  });

  test("works on as many messages of a channel at the same time as it is told", async () => {
    const layer = new InMemoryChannelLayer();
    const work = new Work();
    const worker = await runWorker(work.app, { layer, channels: ["work"], concurrency: 2 });
    await sendAll(layer, "a", "b", "c");
    expect(work.seen).toEqual(["begin a", "begin b"]);
    await work.finish("b");
    expect(work.seen.slice(2)).toEqual(["end b", "begin c"]);
    await work.finish("a", "c");
    await worker.close();
    expect(work.seen).toHaveLength(6);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("bug");
      },
    ],
    ["rejects", () => Promise.reject(new Error("bug"))],
  ])("logs what an application %s, and goes on", async (_name, app) => {
    const layer = new InMemoryChannelLayer();
    const logger = new RecordingLogger();
    const worker = await runWorker(app, { layer, channels: ["work"], logger });
    await sendAll(layer, "a", "b");
    expect(logger.lines).toEqual(
      ["a", "b"].map((type) => ({
        level: "error",
        message: "a worker's application failed on a message",
        fields: { err: new Error("bug"), channel: "work", type },
      })),
    );
    await worker.close();
  });

  test("goes on though its logger fails, or there is none", async () => {
    const layer = new InMemoryChannelLayer();
    const failing = (): never => {
      throw new Error("disk full");
    };
    let runs = 0;
    const app = (): never => {
      runs++;
      throw new Error("bug");
    };
    const logger = { debug: failing, info: failing, warn: failing, error: failing };
    for (const options of [{ logger }, {}]) {
      const worker = await runWorker(app, { layer, channels: ["work"], ...options });
      await sendAll(layer, "a", "b");
      await worker.close();
    }
    expect(runs).toBe(4);
  });

  test("logs a message of a channel that the application does not know", async () => {
    const layer = new InMemoryChannelLayer();
    const logger = new RecordingLogger();
    const worker = await runWorker(ChannelNameRouter({}), { layer, channels: ["work"], logger });
    await sendAll(layer, "a");
    expect(logger.errors).toEqual([expect.any(RouteNotFound)]);
    await worker.close();
  });

  test("gives an application its message once, whichever way it asks", async () => {
    const layer = new InMemoryChannelLayer();
    const got: unknown[] = [];
    const app: App<"channel"> = async (_scope, receive, send) => {
      // There is nobody to send to, as types say.
      await send({} as never);
      await receive.pipe(({ message }) => void got.push(message.type));
      await receive.pipe(({ message }) => void got.push(message.type));
      got.push(await receive().catch((error: unknown) => error));
    };
    const worker = await runWorker(app, { layer, channels: ["work"] });
    await sendAll(layer, "a");
    expect(got).toEqual(["a", expect.any(ClientDisconnected)]);
    await worker.close();
  });

  test("finishes what it has begun when it is closed, and takes nothing else", async () => {
    const layer = new InMemoryChannelLayer();
    const work = new Work();
    const worker = await runWorker(work.app, { layer, channels: ["work"] });
    await sendAll(layer, "a", "b");
    const closed = [worker.close(), worker.close()].map(async (closing) => {
      await closing;
      work.seen.push("closed");
    });
    await settled();
    expect(work.seen).toEqual(["begin a"]);
    await work.finish("a");
    await Promise.all(closed);
    expect(work.seen).toEqual(["begin a", "end a", "closed", "closed"]);
    expect(await (await layer.openNamed("work")).receive()).toEqual({ type: "b" });
  });

  test("works on what was just being taken when it and its layer were closed", async () => {
    const clock = new FakeClock();
    const server = new MemoryBrokerServer(() => clock.now());
    const [layer, peer] = [0, 1].map(() => new BrokeredChannelLayer(server.broker(), { clock }));
    if (layer === undefined || peer === undefined) throw new Error("expected two layers");
    const got: string[] = [];
    const app: App<"channel"> = async (_scope, receive) => void got.push((await receive()).message.type);
    const worker = await runWorker(app, { layer, channels: ["work"], concurrency: 3 });
    for (const type of ["a", "b", "c"]) await peer.send("work", { type });
    await Promise.all([worker.close(), layer.close()]);
    const reader = await peer.openNamed("work");
    void reader.pipe(({ type }) => void got.push(type));
    await settled();
    expect(got.sort()).toEqual(["a", "b", "c"]);
    await peer.close();
    expect(clock.pending).toBe(0);
  });

  test("ends with its layer", async () => {
    const layer = new InMemoryChannelLayer();
    const worker = await runWorker(() => {}, { layer, channels: ["work"] });
    await layer.close();
    await worker.close();
  });

  test.each([
    [{ channels: [] }, "expected at least one channel"],
    [{ channels: ["work"], concurrency: 0 }, "expected a concurrency"],
    [{ channels: ["work"], concurrency: 1.5 }, "expected a concurrency"],
    [{ channels: ["work"], concurrency: Number.NaN }, "expected a concurrency"],
  ])("must not be given %j", async (options, message) => {
    const run = runWorker(() => {}, { layer: new InMemoryChannelLayer(), ...options });
    await expect(run).rejects.toThrow(ConfigurationError);
    await expect(run).rejects.toThrow(message);
  });

  test("closes what it has opened if it cannot open the rest", async () => {
    const opened: Channel[] = [];
    class Flaky extends InMemoryChannelLayer {
      override async openNamed(name: string): Promise<Channel> {
        if (opened.length === 3) throw new LayerUnavailable("gone");
        const channel = await super.openNamed(name);
        opened.push(channel);
        return channel;
      }
    }
    const layer = new Flaky();
    const run = runWorker(() => {}, { layer, channels: ["work", "other"], concurrency: 2 });
    await expect(run).rejects.toThrow("gone");
    expect(opened).toHaveLength(3);
    for (const channel of opened) await expect(channel.receive()).rejects.toThrow("is closed");
  });

  test("refuses a bad name", async () => {
    await expect(runWorker(() => {}, { layer: new InMemoryChannelLayer(), channels: ["a!b"] })).rejects.toThrow(
      TypeError,
    );
  });
});
