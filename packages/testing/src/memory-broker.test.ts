import type { Broker, BrokerListener } from "@sluice/core";
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryBrokerServer } from "./memory-broker.js";

describe("MemoryBrokerServer", () => {
  let now: number;
  let server: MemoryBrokerServer;
  let heard: string[];
  beforeEach(() => {
    now = 0;
    server = new MemoryBrokerServer(() => now);
    heard = [];
  });

  const listener: BrokerListener = {
    message: (topic, payload) => void heard.push(`${topic} ${payload}`),
    connected: () => void heard.push("connected"),
    disconnected: (_cause, since) => void heard.push(`disconnected since ${since}`),
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  async function connect(): Promise<Broker> {
    const broker = server.broker();
    broker.connect(listener);
    await settled();
    return broker;
  }

  test("takes calls in their order, and says whether anybody hears", async () => {
    const broker = await connect();
    const published = [
      broker.publish("a", "1"),
      broker.subscribe("a").then(() => "subscribed"),
      broker.publish("a", "2"),
      broker.unsubscribe("a").then(() => "unsubscribed"),
      broker.publish("a", "3"),
    ];
    expect(await Promise.all(published)).toEqual([false, "subscribed", true, "unsubscribed", false]);
    expect(heard).toEqual(["connected", "a 2"]);
  });

  test("refuses calls until it is reached, while it is stopped and after the end", async () => {
    const broker = server.broker();
    const refused = (call: Promise<unknown>): Promise<void> => expect(call).rejects.toThrow("cannot be reached");
    await refused(broker.publish("a", ""));
    broker.connect(listener);
    await settled();
    const underWay = refused(broker.publish("a", ""));
    now = 5;
    server.stop();
    await underWay;
    await refused(broker.push("work", "1", { capacity: 1, expiry: 1 }));
    server.start();
    await settled();
    await broker.publish("a", "");
    await broker.close();
    await refused(broker.publish("a", ""));
    server.stop();
    server.start();
    await settled();
    expect(heard).toEqual(["connected", "disconnected since 5", "connected"]);
  });

  test("tells nobody that it can be reached who has left, or whom it has left, in the meantime", async () => {
    const [closed, stopped] = [server.broker(), server.broker()];
    closed.connect(listener);
    await closed.close();
    await settled();
    expect(heard).toEqual([]);
    stopped.connect(listener);
    server.stop();
    await settled();
    expect(heard).toEqual(["disconnected since 0"]);
    expect(server.running).toBe(false);
  });

  test("that is stopped says so to who comes, and takes them when it is started", async () => {
    server.stop();
    await connect();
    server.start();
    server.start();
    await settled();
    expect(heard).toEqual(["disconnected since 0", "connected"]);
  });

  test("keeps queues in bounds, by its own clock, and over a stop", async () => {
    const broker = await connect();
    const push = (payload: string): Promise<boolean> => broker.push("work", payload, { capacity: 2, expiry: 10 });
    expect([await push("1"), await push("2"), await push("3")]).toEqual([true, true, false]);
    server.stop();
    server.start();
    await settled();
    expect(await broker.pop("work")).toBe("1");
    now = 10;
    expect(await broker.pop("work")).toBeUndefined();
    await push("4");
    await broker.flush();
    expect(await broker.pop("work")).toBeUndefined();
  });
});
