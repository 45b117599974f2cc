import { type Broker, type BrokerListener, ConfigurationError } from "@sluice/core";
import { MemoryBrokerServer, RecordingLogger } from "@sluice/testing";
import { expect, test } from "vitest";
import { EncryptedBroker } from "./encrypted-broker.js";

const secret = "a secret of thirty-two characters";
const otherSecret = "another secret, at least as long as";
const limits = { capacity: 10, expiry: 60_000 };

/** Keeps what a broker tells. */
class Ear implements BrokerListener {
  readonly heard: string[] = [];

  message(topic: string, payload: string): void {
    this.heard.push(`${topic} ${payload.slice(0, 20)}`);
  }

  connected(): void {
    this.heard.push("connected");
  }

  disconnected(): void {
    this.heard.push("disconnected");
  }
}

async function listen(broker: Broker): Promise<string[]> {
  const ear = new Ear();
  broker.connect(ear);
  await expect.poll(() => ear.heard).toEqual(["connected"]);
  return ear.heard;
}

test("shows the server neither payloads nor that two of them are alike", async () => {
  const server = new MemoryBrokerServer();
  const broker = new EncryptedBroker(server.broker(), { keys: [secret] });
  const heard = await listen(broker);
  const wire = server.broker();
  const seen = await listen(wire);
  for (const each of [broker, wire]) await each.subscribe("group:room");
  for (let n = 0; n < 2; n++) expect(await broker.publish("group:room", "hello")).toBe(true);
  expect(await broker.publish("group:empty", "hello")).toBe(false);
  await expect.poll(() => heard.slice(1)).toEqual(["group:room hello", "group:room hello"]);
  expect(seen[1]).toMatch(/^group:room [A-Za-z0-9+/]{20}$/);
  expect(seen[1]).not.toBe(seen[2]);

  await broker.push("work", "job", limits);
  expect(await wire.pop("work")).toMatch(/^[A-Za-z0-9+/]+=*$/);
  await broker.push("work", "job", limits);
  expect(await broker.pop("work")).toBe("job");
  expect(await broker.pop("work")).toBeUndefined();
});

test("keeps the order of calls and of messages, whatever their size", async () => {
  const broker = new EncryptedBroker(new MemoryBrokerServer().broker(), { keys: [secret] });
  const heard = await listen(broker);
  const subscribed = broker.subscribe("a");
  const large = `large ${"x".repeat(1_000_000)}`;
  const published = [large, "small 1", large, "small 2"].map((payload) => broker.publish("a", payload));
  const unsubscribed = broker.unsubscribe("a");
  const late = broker.publish("a", "too late");
  const queued = [broker.push("work", large, limits), broker.push("work", "small", limits)];
  await Promise.all([subscribed, unsubscribed, ...queued]);
  expect(await Promise.all(published)).toEqual([true, true, true, true]);
  expect(await late).toBe(false);
  await expect.poll(() => heard).toHaveLength(5);
  expect(heard.slice(1).map((line) => line.slice(0, 9))).toEqual(["a large x", "a small 1", "a large x", "a small 2"]);
  expect(await broker.pop("work")).toBe(large);
  expect(await broker.pop("work")).toBe("small");
});

test("reads what an old key has encrypted, and encrypts by the new one", async () => {
  const server = new MemoryBrokerServer();
  const before = new EncryptedBroker(server.broker(), { keys: [secret] });
  const now = new EncryptedBroker(server.broker(), { keys: [otherSecret, secret] });
  const after = new EncryptedBroker(server.broker(), { keys: [new TextEncoder().encode(otherSecret)] });
  for (const broker of [before, now, after]) await listen(broker);
  await before.push("work", "old", limits);
  expect(await now.pop("work")).toBe("old");
  await now.push("work", "new", limits);
  expect(await after.pop("work")).toBe("new");
});

test("drops what no key fits, what was changed and what was meant for elsewhere, and says so once", async () => {
  const server = new MemoryBrokerServer();
  const logger = new RecordingLogger();
  const broker = new EncryptedBroker(server.broker(), { keys: [secret], logger });
  const stranger = new EncryptedBroker(server.broker(), { keys: [otherSecret] });
  const wire = server.broker();
  const heard = await listen(broker);
  for (const each of [stranger, wire]) await listen(each);
  await broker.subscribe("a");

  await broker.push("a", "moved", limits);
  const sealed = (await wire.pop("a")) ?? "";
  const changed = sealed.replace(/^./, (first) => (first === "A" ? "B" : "A"));
  await stranger.publish("a", "foreign");
  for (const payload of ["", "not base64 !", "AAAA", sealed, changed]) await wire.publish("a", payload);
  await broker.publish("a", "good");
  await expect.poll(() => heard).toEqual(["connected", "a good"]);
  expect(logger.lines).toEqual([
    { level: "warn", message: expect.stringContaining("no encryption key"), fields: { dropped: 1 } },
  ]);

  for (const payload of [sealed, changed]) await wire.push("b", payload, limits);
  await broker.push("b", "good", limits);
  expect(await broker.pop("b")).toBe("good");
  expect(await broker.pop("b")).toBeUndefined();
});

test("keeps nothing for the next connection", async () => {
  const server = new MemoryBrokerServer();
  const broker = new EncryptedBroker(server.broker(), { keys: [secret] });
  const heard = await listen(broker);
  const published = broker.publish("a", "lost");
  const subscribed = broker.subscribe("a");
  const rejected = Promise.all(
    [published, subscribed].map((call) => expect(call).rejects.toMatchObject({ code: "layer_unavailable" })),
  );
  server.stop();
  server.start();
  await rejected;
  await expect.poll(() => heard).toEqual(["connected", "disconnected", "connected"]);
  expect(server.topics).toEqual([]);
  await broker.subscribe("a");
  await broker.close();
  expect(server.topics).toEqual([]);
  await expect(broker.publish("a", "lost")).rejects.toMatchObject({ code: "layer_unavailable" });
});

test.each([[[]], [["too short"]], [[secret, new Uint8Array(31)]]])("refuses keys such as %j", (keys) => {
  const build = () => new EncryptedBroker(new MemoryBrokerServer().broker(), { keys });
  expect(build).toThrow(ConfigurationError);
  expect(build).not.toThrow(/too short/);
});
