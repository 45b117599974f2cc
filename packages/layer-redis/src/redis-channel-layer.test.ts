import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";
import { ConfigurationError } from "@sluice/core";
import { tlsFiles } from "@sluice/testing/contract";
import { Redis, type RedisOptions } from "ioredis";
import { describe, expect, test, vi } from "vitest";
import { describeRedis, freshPrefix, redisUrl } from "../../../test/redis.js";
import { RedisChannelLayer, type RedisChannelLayerOptions } from "./redis-channel-layer.js";

describe("settings", () => {
  test.each<[string, RedisChannelLayerOptions]>([
    ["no URL", { url: "localhost:6379" }],
    ["another protocol", { url: "http://hidden-word@localhost" }],
    ["a password that is not encoded", { url: "redis://:hidden-word/#[@localhost:port" }],
    ["two addresses", { url: "redis://:hidden-word@localhost", cluster: [{ host: "localhost" }] }],
    ["a cluster of no nodes", { cluster: [] }],
    ["a prefix that is empty", { prefix: "" }],
    ["a prefix with a pattern", { prefix: "sluice*" }],
    ["a prefix with a hash tag", { prefix: "{sluice}" }],
    ["a key that is too short", { encryptionKeys: ["hidden-word"] }],
    ["a time-out of nothing", { timeout: 0 }],
    ["a capacity of nothing", { capacity: 0 }],
  ])("refuses %s, and shows no secret", (_what, options) => {
    const build = () => new RedisChannelLayer(options);
    expect(build).toThrow(ConfigurationError);
    expect(build).not.toThrow(/hidden-word/);
  });
});

describeRedis(() => {
  test("a client that was handed in is neither used nor closed", async () => {
    const client = new Redis(redisUrl());
    try {
      await client.set(freshPrefix(), "somebody's");
      const sent = vi.spyOn(client, "sendCommand");
      const layer = new RedisChannelLayer({ client, prefix: freshPrefix() });
      await layer.ready();
      await layer.close();
      expect(sent).not.toHaveBeenCalled();
      expect(client.status).toBe("ready");
      expect(await client.ping()).toBe("PONG");
    } finally {
      client.disconnect();
    }
  });

  test("rediss:// is TLS, with a certificate that somebody trusts", async () => {
    const { key, cert } = await tlsFiles();
    const { hostname, port } = new URL(redisUrl());
    const gateway = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (client) => {
      const onward = connect(Number(port || 6379), hostname);
      client.pipe(onward).pipe(client);
      for (const socket of [client, onward]) socket.on("error", () => {});
    });
    gateway.listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const url = `rediss://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const open = (redis: RedisOptions) => new RedisChannelLayer({ url, redis, prefix: freshPrefix() });
    const layers = [open({ tls: { ca: readFileSync(cert) } }), open({})] as const;
    try {
      await layers[0].ready();
      await expect(layers[1].ready()).rejects.toMatchObject({
        // Newer versions of Node add advice.
        cause: { message: expect.stringContaining("self-signed certificate") },
      });
    } finally {
      await Promise.all(layers.map((layer) => layer.close()));
      gateway.close();
    }
  });

  test("layers with different prefixes hear nothing of one another", async () => {
    const open = () => new RedisChannelLayer({ url: redisUrl(), prefix: freshPrefix() });
    const layers = [open(), open()] as const;
    try {
      const members = await Promise.all(layers.map((layer) => layer.open()));
      for (const [index, layer] of layers.entries()) await layer.groupAdd("room", members[index]?.name ?? "");
      await layers[0].send("work", { type: "job", n: 1 });
      await layers[1].flush();
      await layers[1].groupAdd("room", members[1]?.name ?? "");
      await layers[0].groupSend("room", { type: "chat", text: "first" });
      await layers[1].groupSend("room", { type: "chat", text: "second" });
      expect(await members[1]?.receive()).toEqual({ type: "chat", text: "second" });
      expect(await (await layers[0].openNamed("work")).receive()).toEqual({ type: "job", n: 1 });
    } finally {
      await Promise.all(layers.map((layer) => layer.close()));
    }
  });
});
