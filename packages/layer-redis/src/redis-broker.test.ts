import type { Broker } from "@sluice/core";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeRedis, freshPrefix, redisUrl } from "../../../test/redis.js";
import { RedisBroker } from "./redis-broker.js";
import { redisSource } from "./redis-source.js";

describeRedis(() => {
  let broker: Broker;
  let redis: Redis;
  let key: string;

  beforeEach(async () => {
    const prefix = freshPrefix();
    key = `${prefix}:list:work`;
    redis = new Redis(redisUrl());
    broker = new RedisBroker({ source: redisSource({ url: redisUrl() }), prefix, timeout: 10_000 });
    await new Promise<void>((connected) =>
      broker.connect({ connected, message: () => {}, disconnected: (cause) => expect.fail(String(cause)) }),
    );
  });
  afterEach(async () => {
    await broker.close();
    redis.disconnect();
  });

  /** Asks the server's own clock until it is past a moment. */
  async function pastServerTime(moment: number): Promise<void> {
    await vi.waitFor(async () => {
      const [seconds, micros] = (await redis.time()) as unknown as [number, number];
      expect(Number(seconds) * 1_000 + Number(micros) / 1_000).toBeGreaterThan(moment);
    }, 10_000);
  }

  test("a queue skips what has expired, and has room again", async () => {
    expect(await broker.push("work", "brief", { capacity: 2, expiry: 20 })).toBe(true);
    expect(await broker.push("work", "long: 1", { capacity: 2, expiry: 60_000 })).toBe(true);
    await pastServerTime(Number(String(await redis.lindex(key, 0)).split(":")[0]));
    expect(await broker.push("work", "long: 2", { capacity: 2, expiry: 30_000 })).toBe(true);
    expect(await broker.push("work", "too much", { capacity: 2, expiry: 30_000 })).toBe(false);
    expect(await redis.llen(key)).toBe(2);
    // A message that expires sooner does not take the others with it.
    expect(await redis.pttl(key)).toBeGreaterThan(30_000);
    expect([await broker.pop("work"), await broker.pop("work"), await broker.pop("work")]).toEqual([
      "long: 1",
      "long: 2",
      undefined,
    ]);
  });

  test("a queue that nobody reads goes by itself, and what never expires stays", async () => {
    await broker.push("work", "brief", { capacity: 2, expiry: 20.5 });
    await vi.waitFor(async () => expect(await redis.exists(key)).toBe(0), 10_000);
    await broker.push("work", "kept", { capacity: 2, expiry: Number.POSITIVE_INFINITY });
    expect(await broker.pop("work")).toBe("kept");
  });

  test("a queue expires message by message also for who only reads", async () => {
    await broker.push("work", "brief", { capacity: 2, expiry: 20 });
    await broker.push("work", "long", { capacity: 2, expiry: 60_000 });
    await pastServerTime(Number(String(await redis.lindex(key, 0)).split(":")[0]));
    expect(await broker.pop("work")).toBe("long");
  });

  test("flush() deletes queues, all of them and nothing else", async () => {
    await redis.set(`${key.replace(":list:work", "")}:other`, "stays");
    for (let n = 0; n < 50; n++) await broker.push(`work.${n}`, "job", { capacity: 1, expiry: 60_000 });
    await broker.flush();
    expect(await redis.keys(key.replace("list:work", "*"))).toEqual([`${key.replace(":list:work", "")}:other`]);
  });

  test("what is asked after close() rejects", async () => {
    await broker.close();
    await expect(broker.publish("a", "lost")).rejects.toMatchObject({ code: "layer_unavailable" });
    await expect(broker.pop("work")).rejects.toMatchObject({ code: "layer_unavailable" });
  });
});
