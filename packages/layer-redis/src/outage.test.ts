import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Channel, ChannelLayer, LayerMessage } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { Cluster } from "ioredis";
import { afterEach, describe, expect, test, vi } from "vitest";
import { describeOwnRedis, OwnRedis, OwnRedisCluster } from "../../../test/redis.js";
import { RedisChannelLayer, type RedisChannelLayerOptions } from "./redis-channel-layer.js";

const unavailable = { code: "layer_unavailable" };
const layers: ChannelLayer[] = [];
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(layers.splice(0).map((layer) => layer.close()));
  for (const server of servers.splice(0)) server.close();
});

function openLayer(options: RedisChannelLayerOptions): RedisChannelLayer {
  const layer = new RedisChannelLayer(options);
  layers.push(layer);
  return layer;
}

/** A server on a port of its own, and the connections it has. */
async function gateway(
  accept: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    accept(socket);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, sockets };
}

function chat(text: string): LayerMessage {
  return { type: "chat.message", text };
}

/** Sends to the group until a member in the layer's own process is reached. */
async function untilDelivered(layer: ChannelLayer, group: string): Promise<void> {
  await vi.waitFor(async () => expect((await layer.groupSend(group, chat("probe"))).delivered).toBe(1), {
    timeout: 20_000,
    interval: 5,
  });
}

/** Reads until the gap. */
async function untilGap(channel: Channel): Promise<LayerMessage> {
  for (;;) {
    const message = await channel.receive();
    if (message.type === "layer.gap") return message;
  }
}

describeOwnRedis("an outage", () => {
  describe.each([
    ["plain", []],
    ["encrypted", ["a secret of thirty-two characters"]],
  ])("of a %s layer", (_, keys) => {
    test("that kills the server under load loses nobody, and tells of the gap", async () => {
      await using server = await OwnRedis.start();
      const logger = new RecordingLogger();
      const layer = openLayer({ url: server.url, encryptionKeys: keys, logger });
      const peer = openLayer({ url: server.url, encryptionKeys: keys });
      await Promise.all([layer.ready(), peer.ready()]);
      const [member, distant] = [await layer.open({ gaps: true, capacity: 1e6 }), await peer.open({ capacity: 1e6 })];
      await layer.groupAdd("room", member.name);
      await peer.groupAdd("room", distant.name);
      const reader = await layer.openNamed("work");

      const burst = (what: string) =>
        Array.from({ length: 500 }, (_, n) => layer.groupSend("room", chat(`${what} ${n}`)));
      const before = burst("before");
      const beforeSettled = Promise.allSettled(before);
      await before[0];
      const killedAt = Date.now();
      await server.kill();
      for (const outcome of await Promise.allSettled(burst("during")))
        expect(outcome).toMatchObject({ reason: unavailable });
      for (const outcome of await beforeSettled) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(unavailable);
      }
      await expect(layer.send("work", chat("lost"))).rejects.toMatchObject(unavailable);
      await expect(layer.flush()).rejects.toMatchObject(unavailable);

      await server.startAgain();
      const startedAt = Date.now();
      const gap = await untilGap(member);
      expect(gap).toMatchObject({ reason: "unavailable" });
      expect(gap.since).toBeLessThanOrEqual(Date.now());
      expect(gap.since).toBeGreaterThan(killedAt - 3_000);
      await untilDelivered(peer, "room");
      expect(Date.now() - startedAt).toBeLessThan(5_000);

      await peer.groupSend("room", chat("after"));
      const seen: unknown[] = [];
      while (seen.at(-1) !== "after") seen.push((await member.receive()).text);
      expect(seen.filter((text) => text !== "probe")).toEqual(["after"]);
      await peer.send("work", chat("job"));
      expect(await reader.receive()).toEqual(chat("job"));
      await peer.send(member.name, chat("direct"));
      expect(await member.receive()).toEqual(chat("direct"));
      expect(logger.lines.map(({ message }) => message)).toEqual([
        "the channel layer cannot be reached, and is called again",
        "the channel layer is back",
      ]);
    });
  });

  test("that freezes the server rejects in time, then at once, and ends with it", async () => {
    await using server = await OwnRedis.start();
    const layer = openLayer({ url: server.url, timeout: 1_000 });
    const member = await layer.open({ gaps: true });
    await layer.groupAdd("room", member.name);
    server.freeze();
    const frozenAt = Date.now();
    await expect(layer.groupSend("room", chat("lost"))).rejects.toMatchObject(unavailable);
    const heldFor = Date.now() - frozenAt;
    expect(heldFor).toBeLessThan(3_000);
    // The layer's own time-out and the heart's run at once: the latter cuts the connections.
    await vi.waitFor(
      async () => {
        const askedAt = performance.now();
        await layer.groupSend("room", chat("lost, too")).catch(() => {});
        expect(performance.now() - askedAt).toBeLessThan(100);
      },
      { timeout: 5_000, interval: 1 },
    );
    server.thaw();
    const thawedAt = Date.now();
    expect(await untilGap(member)).toMatchObject({ reason: "unavailable" });
    await untilDelivered(layer, "room");
    expect(Date.now() - thawedAt).toBeLessThan(5_000);
  });

  test("of a cluster's slot, which moves to another node, is over when the layer has followed", async () => {
    await using cluster = await OwnRedisCluster.start(2);
    const nodes = cluster.nodes.map((node) => node.connect());
    try {
      const client = new Cluster(
        cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
        { lazyConnect: true },
      );
      const layer = openLayer({ client });
      const member = await layer.open({ gaps: true });
      await layer.groupAdd("room", member.name);
      const slot = Number(await nodes[0]?.cluster("KEYSLOT", "{sluice}"));
      const target = slot < 8_192 ? 1 : 0;
      const id = await nodes[target]?.call("CLUSTER", "MYID");
      for (const index of [target, 1 - target])
        await nodes[index]?.call("CLUSTER", "SETSLOT", slot, "NODE", String(id));
      expect(await untilGap(member)).toMatchObject({ reason: "unavailable" });
      await untilDelivered(layer, "room");
      expect(await nodes[target]?.call("PUBSUB", "SHARDCHANNELS", "*")).toContain("{sluice}:group:room");
      expect(await nodes[1 - target]?.call("PUBSUB", "SHARDCHANNELS", "*")).toEqual([]);
    } finally {
      for (const node of nodes) node.disconnect();
    }
  });

  test("that cuts one of the two connections ends both", async () => {
    await using server = await OwnRedis.start();
    const layer = openLayer({ url: server.url });
    const member = await layer.open({ gaps: true });
    await layer.groupAdd("room", member.name);
    const redis = server.connect();
    try {
      for (const type of ["pubsub", "normal"]) {
        await redis.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
        expect(await untilGap(member)).toMatchObject({ reason: "unavailable" });
        await untilDelivered(layer, "room");
        await vi.waitFor(
          async () =>
            expect(
              String(await redis.client("LIST"))
                .trim()
                .split("\n"),
            ).toHaveLength(3),
          5_000,
        );
      }
    } finally {
      redis.disconnect();
    }
  });
});

describeOwnRedis("the end", () => {
  test("of a layer leaves nothing in Redis", async () => {
    await using server = await OwnRedis.start();
    const redis = server.connect();
    try {
      const layer = openLayer({ url: server.url });
      const member = await layer.open();
      await layer.groupAdd("room", member.name);
      await layer.openNamed("work");
      expect((await redis.pubsub("CHANNELS", "sluice:*")) as string[]).toHaveLength(4);
      await layer.send("elsewhere", chat("waits"));
      expect(await redis.keys("*")).toEqual(["sluice:list:elsewhere"]);
      expect(await redis.pttl("sluice:list:elsewhere")).toBeGreaterThan(0);
      await redis.set("sluice", "somebody else's");
      await layer.flush();
      await layer.close();
      expect(await redis.pubsub("CHANNELS", "*")).toEqual([]);
      expect(await redis.keys("*")).toEqual(["sluice"]);
      expect(
        String(await redis.client("LIST"))
          .trim()
          .split("\n"),
      ).toHaveLength(1);
    } finally {
      redis.disconnect();
    }
  });

  test("of a process that dies leaves no subscription behind", async () => {
    await using server = await OwnRedis.start();
    const redis = server.connect();
    try {
      const { port, sockets } = await gateway((client) => {
        const onward = connect(server.port, "127.0.0.1");
        client.pipe(onward).pipe(client);
        onward.on("error", () => {});
        client.on("close", () => onward.resetAndDestroy());
      });
      const layer = openLayer({ url: `redis://127.0.0.1:${port}` });
      const member = await layer.open();
      await layer.groupAdd("room", member.name);
      expect(await redis.pubsub("CHANNELS", "*")).toHaveLength(3);
      servers.at(-1)?.close();
      for (const socket of sockets) socket.destroy();
      await vi.waitFor(async () => expect(await redis.pubsub("CHANNELS", "*")).toEqual([]), 5_000);
    } finally {
      redis.disconnect();
    }
  });
});

describe("a server that cannot be used", () => {
  test("because it says nothing is given up, and its connections are", async () => {
    const { port, sockets } = await gateway((socket) => socket.resume());
    const layer = openLayer({ url: `redis://127.0.0.1:${port}`, timeout: 200 });
    await expect(layer.ready()).rejects.toMatchObject(unavailable);
    await vi.waitFor(() => expect(sockets.size).toBeGreaterThan(0), 5_000);
    await layer.close();
    await vi.waitFor(() => expect(sockets.size).toBe(0), 5_000);
  });

  test.each<[string, string, (port: number) => RedisChannelLayerOptions]>([
    ["alone", "ECONNREFUSED", (port) => ({ url: `redis://127.0.0.1:${port}` })],
    ["in a cluster", "ECONNREFUSED", (port) => ({ cluster: [{ host: "127.0.0.1", port }] })],
    [
      "behind a sentinel",
      "sentinels are unreachable",
      (port) => ({ redis: { sentinels: [{ host: "127.0.0.1", port }], name: "main" } }),
    ],
  ])("because it is not there, %s, is named as the cause", async (_, reason, address) => {
    const { port } = await gateway(() => {});
    servers.at(-1)?.close();
    const layer = openLayer(address(port));
    const error: unknown = await layer.ready().catch((rejected: unknown) => rejected);
    expect(error).toMatchObject(unavailable);
    expect((error as Error).cause).toMatchObject({ message: expect.stringContaining(reason) });
    await expect(layer.groupSend("room", chat("lost"))).rejects.toMatchObject(unavailable);
  });
});

describeOwnRedis("a password", () => {
  test("opens the door, and a wrong one is in no error and no line of the log", async () => {
    await using server = await OwnRedis.start(["--requirepass", "right word"]);
    const right = openLayer({ url: `redis://:right%20word@127.0.0.1:${server.port}` });
    await right.ready();

    const logger = new RecordingLogger();
    const wrong = openLayer({ url: `redis://:hidden-word@127.0.0.1:${server.port}`, logger });
    const error = await wrong.ready().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ ...unavailable, cause: { message: expect.stringContaining("WRONGPASS") } });
    const everything = JSON.stringify([error, logger.lines], (_, value: unknown) =>
      value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value,
    );
    expect(logger.lines).toHaveLength(1);
    expect(everything).toContain("WRONGPASS");
    expect(everything).not.toContain("hidden-word");
  });
});
