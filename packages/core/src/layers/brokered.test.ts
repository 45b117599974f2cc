import { FakeClock, MemoryBrokerServer, RecordingLogger } from "@sluice/testing";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { never, ScriptedBroker } from "../../test/scripted-broker.js";
import { ConfigurationError, LayerUnavailable } from "../errors.js";
import type { Broker } from "../ports/broker.js";
import type { Channel } from "../ports/channel-layer.js";
import { BrokeredChannelLayer, type BrokeredChannelLayerOptions } from "./brokered.js";

// What every channel layer promises is tested by the contract suite of @sluice/testing.

let clock: FakeClock;
let server: MemoryBrokerServer;
let log: RecordingLogger;
let broker: ScriptedBroker;
let layer: BrokeredChannelLayer;

beforeEach(() => {
  clock = new FakeClock();
  server = new MemoryBrokerServer(() => clock.now());
  log = new RecordingLogger();
  [layer, broker] = openLayer();
});

function openLayer(options: BrokeredChannelLayerOptions = {}): [BrokeredChannelLayer, ScriptedBroker] {
  const scripted = new ScriptedBroker(server.broker());
  return [new BrokeredChannelLayer(scripted, { clock, logger: log, ...options }), scripted];
}

/** The layer of another process. */
async function openPeer(): Promise<BrokeredChannelLayer> {
  const [peer] = openLayer();
  await peer.ready();
  return peer;
}

const settled = (): Promise<void> => clock.advance(0);

/** How `work` has ended, if it has by now. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  let outcome: unknown = "under way";
  work.then(
    (value) => {
      outcome = value;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  await settled();
  return outcome;
}

async function member(group: string, of = layer, options = {}): Promise<Channel> {
  const channel = await of.open(options);
  await of.groupAdd(group, channel.name);
  return channel;
}

function processOf({ name }: Channel): string {
  return name.slice(name.indexOf(".") + 1, name.indexOf("!"));
}

/** Somebody else on the server, who is no layer. */
async function stranger(): Promise<Broker> {
  const one = server.broker();
  one.connect({ message: () => {}, connected: () => {}, disconnected: () => {} });
  await settled();
  return one;
}

const unavailable = { code: "layer_unavailable" };
const hello = { type: "hello" };
const other = { type: "other" };

describe("a broker that does not answer", () => {
  const calls: readonly [string, string, (channel: string) => Promise<unknown>][] = [
    ["openNamed()", "subscribe", () => layer.openNamed("work")],
    ["groupAdd()", "subscribe", (channel) => layer.groupAdd("room", channel)],
    ["groupAdd() for another process", "publish", () => layer.groupAdd("room", "specific.other!0")],
    ["groupDiscard() for another process", "publish", () => layer.groupDiscard("room", "specific.other!0")],
    ["send() to a named channel", "push", () => layer.send("work", hello)],
    ["send() to another process", "publish", () => layer.send("specific.other!0", hello)],
    ["groupSend()", "publish", () => layer.groupSend("room", hello)],
    ["flush()", "flush", () => layer.flush()],
    ["flush(), of the processes", "publish", () => layer.flush()],
  ];

  test.each(calls)("is given 2 s by %s", async (_name, beginning, call) => {
    const { name } = await layer.open();
    broker.swallow(beginning);
    const asked = call(name);
    await clock.advance(1_999);
    expect(await outcomeOf(asked)).toBe("under way");
    await clock.advance(1);
    expect(await outcomeOf(asked)).toBeInstanceOf(LayerUnavailable);
    expect(await outcomeOf(asked)).toMatchObject({ message: "the channel layer did not answer within 2000 ms" });
    expect(layer.counts).toEqual({ channels: 1, groups: 0 });
    await layer.close();
    expect(clock.pending).toBe(0);
  });

  test("is given as long as the options say, each call its own time", async () => {
    [layer, broker] = openLayer({ timeout: 100 });
    await layer.ready();
    broker.swallow("publish");
    const first = layer.groupSend("room", hello);
    await clock.advance(50);
    const second = layer.groupSend("room", hello);
    const failed = [first, second].map((sent) => expect(sent).rejects.toMatchObject(unavailable));
    await clock.advance(50);
    await failed[0];
    expect(await outcomeOf(second)).toBe("under way");
    await clock.advance(50);
    await failed[1];
  });

  test.each([0, -1, Number.NaN])("cannot be given %d ms", (timeout) => {
    expect(() => openLayer({ timeout })).toThrow(ConfigurationError);
  });
});

describe("the first connection", () => {
  test("is waited for by what is sent during the first try, and by nothing after one has failed", async () => {
    const [early] = openLayer();
    await early.send("work", { type: "job" });
    expect(await early.groupSend("room", { type: "hello" })).toEqual({ delivered: 0, dropped: 0 });
    expect(await (await early.openNamed("work")).receive()).toEqual({ type: "job" });

    server.stop();
    const [late] = openLayer();
    await settled();
    expect(await outcomeOf(late.groupSend("room", { type: "hello" }))).toMatchObject({ code: "layer_unavailable" });
    await Promise.all([early.close(), late.close()]);
  });

  test("is waited for by open(), openNamed() and ready(), as long as the broker may take", async () => {
    server.stop();
    [layer] = openLayer();
    await settled();
    const asked = [layer.open(), layer.openNamed("work"), layer.ready()];
    for (const each of asked) expect(await outcomeOf(each)).toBe("under way");
    server.start();
    await Promise.all(asked);
    await layer.ready();
  });

  test("that fails is told to who waits for it", async () => {
    server.stop();
    [layer] = openLayer();
    const ready = layer.ready();
    await expect(ready).rejects.toMatchObject({ ...unavailable, cause: new Error("the server was stopped") });
    const late = expect(layer.ready()).rejects.toThrow("did not answer within 2000 ms");
    await clock.advance(2_000);
    await late;
  });
});

describe("the loss of the broker", () => {
  test("rejects what is under way, with its cause", async () => {
    const { name } = await layer.open();
    broker.script = () => never;
    const asked = [
      layer.openNamed("work"),
      layer.groupAdd("room", name),
      layer.send("work", hello),
      layer.send("specific.other!0", hello),
      layer.groupSend("room", hello),
      layer.flush(),
    ].map((call) => call.catch((error: unknown) => error));
    await settled();
    server.stop();
    for (const error of await Promise.all(asked)) {
      expect(error).toMatchObject({ ...unavailable, cause: new Error("the server was stopped") });
    }
    expect(layer.counts).toEqual({ channels: 1, groups: 0 });
    expect(clock.pending).toBe(0);
  });

  test("makes everything fail that has to do with others, and nothing else", async () => {
    const channel = await member("room");
    server.stop();
    for (const call of [
      layer.groupSend("room", hello),
      layer.send("work", hello),
      layer.send("specific.other!0", hello),
      layer.groupAdd("other", channel.name),
      layer.groupAdd("room", "specific.other!0"),
      layer.openNamed("work"),
      layer.flush(),
    ]) {
      await expect(call).rejects.toMatchObject(unavailable);
    }
    await layer.send(channel.name, hello);
    expect(await channel.receive()).toEqual(hello);
    await layer.send((await layer.open()).name, hello);
    await layer.groupDiscard("room", channel.name);
    expect(layer.counts).toEqual({ channels: 2, groups: 0 });
  });

  test("ends with every subscription as it was", async () => {
    const peer = await openPeer();
    const channel = await member("room");
    const reader = await layer.openNamed("work");
    const left = await member("left");
    const { topics } = server;
    server.stop();
    await left.close();
    expect(server.topics).toEqual([]);
    server.start();
    await settled();
    expect(server.topics).toEqual(topics.filter((topic) => topic !== "group:left"));
    await peer.groupSend("room", hello);
    await peer.send(channel.name, other);
    await peer.send("work", hello);
    expect(await channel.receive()).toEqual(hello);
    expect(await channel.receive()).toEqual(other);
    expect(await reader.receive()).toEqual(hello);
  });

  test("wakes the readers of named channels when it is over", async () => {
    const peer = await openPeer();
    const reader = await layer.openNamed("work");
    const got = reader.receive();
    await settled();
    broker.refuse("pop", new LayerUnavailable("no"));
    await peer.send("work", hello);
    broker.script = (_call, ask) => ask();
    server.stop();
    server.start();
    expect(await outcomeOf(got)).toEqual(hello);
  });

  test("is marked in the channels that want it, after their subscriptions are there again", async () => {
    const wants = await member("room", layer, { gaps: true });
    const ignores = await member("room");
    await layer.groupSend("room", hello);
    const since = clock.now();
    server.stop();
    await clock.advance(500);
    const release = broker.holdAnswers("subscribe");
    server.start();
    await settled();
    expect(await wants.receive()).toEqual(hello);
    const mark = wants.receive();
    expect(await outcomeOf(mark)).toBe("under way");
    release();
    expect(await mark).toEqual({ type: "layer.gap", reason: "unavailable", since });
    await layer.groupSend("room", other);
    expect(await wants.receive()).toEqual(other);
    expect(await ignores.receive()).toEqual(hello);
    expect(await ignores.receive()).toEqual(other);
  });

  test("that follows upon another before all was restored is the same, since the first", async () => {
    const channel = await layer.open({ gaps: true });
    const since = clock.now();
    for (let flap = 0; flap < 3; flap++) {
      server.stop();
      await clock.advance(100);
      broker.swallow("subscribe");
      server.start();
      await clock.advance(100);
    }
    server.stop();
    broker.script = (_call, ask) => ask();
    server.start();
    expect(await channel.receive()).toEqual({ type: "layer.gap", reason: "unavailable", since });
    expect(await outcomeOf(channel.receive())).toBe("under way");
    expect(log.lines.map(({ level, message, fields }) => ({ level, message, fields }))).toEqual([
      {
        level: "warn",
        message: "the channel layer cannot be reached, and is called again",
        fields: { err: new Error("the server was stopped") },
      },
      { level: "info", message: "the channel layer is back", fields: { ms: 600 } },
    ]);
  });

  test("and its end make no channel hear of a gap when there was none", async () => {
    const channel = await layer.open({ gaps: true });
    expect(await outcomeOf(channel.receive())).toBe("under way");
    expect(log.lines).toEqual([]);
  });

  test("is not over while the broker refuses a subscription, which is asked for again every second", async () => {
    const channel = await member("room", layer, { gaps: true });
    server.stop();
    broker.refuse("subscribe group:room", new LayerUnavailable("too many"));
    server.start();
    await settled();
    const mark = channel.receive();
    expect(log.lastTrouble()).toContain("cannot restore its subscriptions, and tries again");
    await clock.advance(1_000);
    expect(broker.calls.filter((call) => call === "subscribe group:room")).toHaveLength(3);
    expect(await outcomeOf(mark)).toBe("under way");
    broker.script = (_call, ask) => ask();
    await clock.advance(1_000);
    expect(await outcomeOf(mark)).toMatchObject({ reason: "unavailable" });
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
    expect(clock.pending).toBe(0);
  });

  test("ends a restoration that goes on for too long with another", async () => {
    const channel = await layer.open({ gaps: true });
    server.stop();
    broker.swallow("subscribe");
    server.start();
    await clock.advance(2_000);
    broker.script = (_call, ask) => ask();
    await clock.advance(1_000);
    expect(await channel.receive()).toMatchObject({ reason: "unavailable" });
  });

  test("takes the retry of a restoration with it", async () => {
    await layer.ready();
    server.stop();
    broker.refuse("subscribe", new LayerUnavailable("no"));
    server.start();
    await settled();
    expect(clock.pending).toBe(1);
    server.stop();
    expect(clock.pending).toBe(0);
  });

  test("does not matter for the outcome of a restoration that it has interrupted", async () => {
    const channel = await layer.open({ gaps: true });
    server.stop();
    const release = broker.holdAnswers("subscribe");
    server.start();
    await settled();
    server.stop();
    release();
    await settled();
    expect(await outcomeOf(channel.receive())).toBe("under way");
  });
});

describe("messages that were dropped", () => {
  test("are told of once per second if others have sent them, and counted", async () => {
    const peer = await openPeer();
    const channel = await member("room", layer, { capacity: 1 });
    for (let count = 0; count < 3; count++) await peer.groupSend("room", hello);
    await clock.advance(999);
    expect(log.lines).toEqual([]);
    await clock.advance(1);
    expect(log.lines).toEqual([
      { level: "warn", message: "messages were dropped: their channels were full", fields: { dropped: 2 } },
    ]);
    await peer.groupSend("room", hello);
    await clock.advance(1_000);
    expect(log.lines[1]?.fields).toEqual({ dropped: 1 });
    expect(layer.dropped).toBe(3);
    expect(await channel.receive()).toEqual(hello);
    expect(clock.pending).toBe(0);
  });

  test("are told to who has sent them, if that was here", async () => {
    await member("room", layer, { capacity: 1 });
    await layer.groupSend("room", hello);
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 1 });
    expect(layer.dropped).toBe(1);
    await clock.advance(1_000);
    expect(log.lines).toEqual([]);
  });

  test("are told of at the end at the latest", async () => {
    const peer = await openPeer();
    await member("room", layer, { capacity: 1 });
    for (let count = 0; count < 2; count++) await peer.groupSend("room", hello);
    await layer.close();
    expect(log.lines[0]?.fields).toEqual({ dropped: 1 });
  });
});

describe("something that no layer has sent", () => {
  const junk = ["", "junk", "a 0\n", "a 0\njunk", "a 0\n5", "a 0\nnull", "a 0\n[]", 'a 0\n{"type":5}', "5", "\n"];
  const forged = 'a 0\n{"type":"layer.gap","reason":"full","since":0}';
  const requests = ["a 0\n", "a 0 dance x\n", "a 0 join x ü\n", "a 0 send x\nnull", "a 0 send x\n"];

  test.each([...junk, forged])("is logged and harms nobody: %j to a group", async (payload) => {
    const channel = await member("room");
    const got: unknown[] = [];
    void channel.pipe((message) => void got.push(message));
    await (await stranger()).publish("group:room", payload);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: "warn", message: expect.stringContaining("no layer has sent") }),
    ]);
    await layer.groupSend("room", hello);
    expect(got).toEqual([hello]);
  });

  test.each([...junk, ...requests])("is logged and harms nobody: %j to a process", async (payload) => {
    const channel = await layer.open();
    await (await stranger()).publish(`process:${processOf(channel)}`, payload);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: "warn", message: expect.stringContaining("no layer has sent") }),
    ]);
    const peer = await openPeer();
    await peer.send(channel.name, hello);
    expect(await channel.receive()).toEqual(hello);
  });

  test.each(junk.filter((payload) => payload !== ""))(
    "is logged and left out of a named channel: %j",
    async (payload) => {
      await (await stranger()).push("work", payload, { capacity: 10, expiry: 1_000 });
      await layer.send("work", hello);
      const reader = await layer.openNamed("work");
      expect(await outcomeOf(reader.receive())).toEqual(hello);
      expect(log.lines).toHaveLength(1);
    },
  );

  test("is harmless where the logger fails, too", async () => {
    const failing = (): never => {
      throw new Error("disk full");
    };
    [layer, broker] = openLayer({ logger: { debug: failing, info: failing, warn: failing, error: failing } });
    const channel = await member("room", layer, { capacity: 1, gaps: true });
    await (await stranger()).publish("group:room", "junk");
    const peer = await openPeer();
    for (let count = 0; count < 2; count++) await peer.groupSend("room", hello);
    await clock.advance(1_000);
    server.stop();
    server.start();
    expect(await channel.receive()).toEqual(hello);
    expect(await channel.receive()).toMatchObject({ type: "layer.gap" });
  });
});

describe("a membership", () => {
  test("that cannot be subscribed to is none", async () => {
    const channel = await layer.open();
    broker.refuse("subscribe group:room", new LayerUnavailable("too many"));
    await expect(layer.groupAdd("room", channel.name)).rejects.toThrow("too many");
    expect(layer.counts.groups).toBe(0);
    broker.script = (_call, ask) => ask();
    await layer.groupAdd("room", channel.name);
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
  });

  test("whose subscription takes too long is given back", async () => {
    const channel = await layer.open();
    broker.holdAnswers("subscribe group:room");
    const added = layer.groupAdd("room", channel.name);
    const failed = expect(added).rejects.toMatchObject(unavailable);
    await settled();
    expect(server.topics).toContain("group:room");
    await clock.advance(2_000);
    await failed;
    expect(layer.counts.groups).toBe(0);
    expect(server.topics).not.toContain("group:room");
  });

  test("outlives a failure to make it again", async () => {
    const channel = await member("room");
    server.stop();
    broker.refuse("subscribe group:room", new LayerUnavailable("not now"));
    server.start();
    await settled();
    await expect(layer.groupAdd("room", channel.name)).rejects.toThrow("not now");
    broker.script = (_call, ask) => ask();
    await clock.advance(1_000);
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
  });

  test("that another process cannot make is LayerUnavailable there, too", async () => {
    const peer = await openPeer();
    const channel = await layer.open();
    broker.refuse("subscribe group:room", new LayerUnavailable("too many"));
    await expect(peer.groupAdd("room", channel.name)).rejects.toThrow("cannot join");
    expect(layer.counts.groups).toBe(0);
  });

  test("is subscribed to once per group and process, and given back with the last member", async () => {
    const [first, second] = [await member("room"), await member("room")];
    const own = ["all", `process:${processOf(first)}`].sort();
    expect(broker.calls.filter((call) => call === "subscribe group:room")).toHaveLength(1);
    await layer.groupDiscard("room", first.name);
    await settled();
    expect(server.topics).toEqual([...own, "group:room"].sort());
    await second.close();
    await settled();
    expect(server.topics).toEqual(own);
    const last = await member("room");
    await layer.flush();
    await settled();
    expect(server.topics).toEqual(own);
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 0 });
    await member("room");
    await last.close();
    await layer.close();
    expect(server.topics).toEqual([]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
    expect(clock.pending).toBe(0);
  });

  test("made anew outlives the late failure of a first try", async () => {
    const channel = await layer.open();
    let fail = (): void => {};
    broker.script = (call, ask) =>
      call === "subscribe group:room"
        ? new Promise((_resolve, reject) => {
            fail = () => reject(new LayerUnavailable("late"));
          })
        : ask();
    const first = expect(layer.groupAdd("room", channel.name)).rejects.toMatchObject(unavailable);
    server.stop();
    await first;
    broker.script = (_call, ask) => ask();
    server.start();
    await settled();
    await layer.groupAdd("room", channel.name);
    fail();
    await settled();
    await member("room");
    expect(broker.calls.filter((call) => call === "subscribe group:room")).toHaveLength(2);
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 2, dropped: 0 });
  });

  test("that ends while it is made leaves no subscription", async () => {
    const channel = await layer.open();
    const release = broker.holdAnswers("subscribe group:room");
    const added = layer.groupAdd("room", channel.name);
    await channel.close();
    release();
    await added;
    await settled();
    expect(server.topics).not.toContain("group:room");
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });
});

describe("a message to a group", () => {
  test("is encoded and published once, however many members there are", async () => {
    const channels = await Promise.all(Array.from({ length: 50 }, () => member("room")));
    const stringify = vi.spyOn(JSON, "stringify");
    const parse = vi.spyOn(JSON, "parse");
    const before = broker.calls.length;
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 50, dropped: 0 });
    expect(stringify).toHaveBeenCalledTimes(1);
    expect(parse).not.toHaveBeenCalled();
    stringify.mockRestore();
    parse.mockRestore();
    expect(broker.calls.slice(before)).toEqual(["publish group:room"]);
    const [first, ...others] = await Promise.all(channels.map((channel) => channel.receive()));
    for (const each of others) expect(each).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
  });

  test("is parsed and frozen once where it comes to", async () => {
    const peer = await openPeer();
    const channels = await Promise.all(Array.from({ length: 10 }, () => member("room")));
    const parse = vi.spyOn(JSON, "parse");
    await peer.groupSend("room", { type: "hello", who: { tags: ["a"] } });
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
    const [first, second] = await Promise.all(channels.map((channel) => channel.receive()));
    expect(first).toBe(second);
    expect(Object.isFrozen(first?.who)).toBe(true);
    expect(first).toHaveProperty("who.tags", ["a"]);
  });

  test("is answered though the last member leaves before it comes back", async () => {
    const channel = await member("room");
    await member("other");
    const sent = [layer.groupSend("room", hello), layer.groupSend("other", hello)];
    await layer.groupDiscard("room", channel.name);
    expect(await Promise.all(sent)).toEqual([
      { delivered: 0, dropped: 0 },
      { delivered: 1, dropped: 0 },
    ]);
    expect(clock.pending).toBe(0);
  });

  test("is answered though the broker knows of no subscription any more", async () => {
    await member("room");
    broker.script = (call, ask) => (call.startsWith("publish") ? (Promise.resolve(false) as never) : ask());
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 0 });
  });

  test("does not reach a member twice that has given it up", async () => {
    const channel = await member("room");
    broker.holdAnswers("publish");
    const got: unknown[] = [];
    void channel.pipe((message) => void got.push(message));
    // It comes back before the answer to the publish does.
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
    await clock.advance(5_000);
    expect(got).toEqual([hello]);
  });

  test("is not overtaken by what the same process sends to one of the members", async () => {
    const channel = await member("room");
    const sent = [layer.groupSend("room", hello), layer.send(channel.name, other)];
    // The group's message is back before this is sent, but not what goes behind it.
    await sent[0];
    sent.push(layer.send(channel.name, { type: "last" }));
    await Promise.all(sent);
    expect(await channel.receive()).toEqual(hello);
    expect(await channel.receive()).toEqual(other);
    expect(await channel.receive()).toEqual({ type: "last" });
    const before = broker.calls.length;
    await layer.send(channel.name, hello);
    expect(broker.calls.length).toBe(before);
  });

  test("does not take what is sent behind it along when the broker has lost this process", async () => {
    const channel = await layer.open();
    broker.script = (call, ask) =>
      call.startsWith("publish process:")
        ? (Promise.resolve(false) as never)
        : call === "publish group:x"
          ? never
          : ask();
    const lost = expect(layer.groupSend("x", hello)).rejects.toMatchObject(unavailable);
    await layer.send(channel.name, other);
    expect(await channel.receive()).toEqual(other);
    await clock.advance(2_000);
    await lost;
  });

  test("behind which a full channel is written to is ChannelFull as without it", async () => {
    const channel = await layer.open({ capacity: 1 });
    await layer.send(channel.name, hello);
    broker.swallow("publish group:x");
    const lost = expect(layer.groupSend("x", hello)).rejects.toMatchObject(unavailable);
    await expect(layer.send(channel.name, hello)).rejects.toMatchObject({ code: "channel_full" });
    await clock.advance(2_000);
    await lost;
  });
});

describe("flush()", () => {
  test("rejects where the processes cannot be told", async () => {
    await layer.ready();
    broker.refuse("publish all", new LayerUnavailable("no"));
    await expect(layer.flush()).rejects.toThrow("no");
    expect(clock.pending).toBe(0);
  });
});

describe("a message to a group that another takes to the broker", () => {
  class Carried extends BrokeredChannelLayer {
    carry(group: string): { readonly topic: string; readonly payload: string } {
      return this.groupPayload(group, hello);
    }
  }

  test("reaches all members, those of its own process too", async () => {
    const mine = new Carried(server.broker(), { clock, logger: log });
    const members = [await member("room"), await member("room", mine, { capacity: 1 })];
    const carrier = await stranger();
    const { topic, payload } = mine.carry("room");
    for (let count = 0; count < 2; count++) await carrier.publish(topic, payload);
    for (const each of members) expect(await each.receive()).toEqual(hello);
    await mine.close();
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ dropped: 1 }]);
    expect(() => mine.carry("room")).toThrow("closed");
  });
});

describe("a reader of a named channel", () => {
  test("looks into it every 5 s, as a wake-up may be lost", async () => {
    const reader = await layer.openNamed("work");
    const got = [reader.receive(), reader.receive()];
    await settled();
    broker.script = (call, ask) => (call === "publish queue:work" ? (Promise.resolve(true) as never) : ask());
    await layer.send("work", hello);
    await clock.advance(4_999);
    expect(await outcomeOf(got[0] as Promise<unknown>)).toBe("under way");
    await clock.advance(1);
    expect(await got[0]).toEqual(hello);
    await layer.send("work", other);
    await clock.advance(5_000);
    expect(await got[1]).toEqual(other);
  });

  test("is not disturbed by a wake-up that fails", async () => {
    const reader = await layer.openNamed("work");
    broker.refuse("publish queue:work", new LayerUnavailable("no"));
    await layer.send("work", hello);
    expect(await reader.receive()).toEqual(hello);
  });

  test("leaves no timer and no subscription when it is the last to be closed", async () => {
    const readers = [await layer.openNamed("work"), await layer.openNamed("work"), await layer.openNamed("other")];
    for (const reader of readers) {
      expect(clock.pending).toBe(1);
      await reader.close();
    }
    await settled();
    expect(clock.pending).toBe(0);
    expect(server.topics.filter((topic) => topic.startsWith("queue:"))).toEqual([]);
  });

  test("that cannot be subscribed leaves nothing", async () => {
    await layer.ready();
    broker.refuse("subscribe queue:work", new LayerUnavailable("too many"));
    await expect(layer.openNamed("work")).rejects.toThrow("too many");
    expect(clock.pending).toBe(0);
  });

  test("gets a message for which the time was up, and asks for no other meanwhile", async () => {
    await layer.send("work", hello);
    await layer.send("work", other);
    const reader = await layer.openNamed("work");
    const release = broker.holdAnswers("pop");
    const got = [reader.receive(), reader.receive()];
    await clock.advance(30_000);
    expect(broker.calls.filter((call) => call === "pop work")).toHaveLength(1);
    release();
    expect(await outcomeOf(Promise.all(got))).toEqual([hello, other]);
  });

  test("looks again when it is woken after a failure that was late", async () => {
    const reader = await layer.openNamed("work");
    let fail = (): void => {};
    broker.script = (call, ask) =>
      call === "pop work"
        ? new Promise((_resolve, reject) => {
            fail = () => reject(new LayerUnavailable("late"));
          })
        : ask();
    const got = reader.receive();
    await clock.advance(2_000);
    fail();
    await settled();
    broker.script = (_call, ask) => ask();
    await layer.send("work", hello);
    expect(await got).toEqual(hello);
  });

  test("looks again after an answer that was late and empty", async () => {
    const reader = await layer.openNamed("work");
    const release = broker.holdAnswers("pop");
    const got = reader.receive();
    await clock.advance(2_000);
    broker.script = (_call, ask) => ask();
    await layer.send("work", hello);
    release();
    expect(await outcomeOf(got)).toEqual(hello);
  });

  test("that was closed when a message came too late for it has lost it, which is logged", async () => {
    await layer.send("work", hello);
    const reader = await layer.openNamed("work");
    const release = broker.holdAnswers("pop");
    const failed = expect(reader.receive()).rejects.toMatchObject(unavailable);
    const closed = reader.close();
    expect(await outcomeOf(closed)).toBe("under way");
    await clock.advance(2_000);
    await closed;
    await failed;
    release();
    await settled();
    expect(log.lines).toEqual([
      {
        level: "warn",
        message: "a message came when its reader had been closed, and is lost",
        fields: { channel: "work" },
      },
    ]);
  });

  test("that was closed when an empty answer came has lost nothing", async () => {
    const reader = await layer.openNamed("work");
    const release = broker.holdAnswers("pop");
    const failed = expect(reader.receive()).rejects.toMatchObject(unavailable);
    const closed = reader.close();
    await clock.advance(2_000);
    await closed;
    await failed;
    release();
    await settled();
    expect(log.lines).toEqual([]);
  });

  test.each([["after its own close()", true] as const, ["by the layer's", false] as const])(
    "gets what is on its way when it is closed, %s",
    async (_name, itself) => {
      await layer.send("work", hello);
      const reader = await layer.openNamed("work");
      const release = broker.holdAnswers("pop");
      const got: unknown[] = [];
      const piped = reader.pipe((message) => void got.push(message));
      await settled();
      const closed = Promise.all(itself ? [reader.close(), layer.close()] : [layer.close()]);
      expect(await outcomeOf(closed)).toBe("under way");
      release();
      await closed;
      await piped;
      expect(got).toEqual([hello]);
    },
  );
});

describe("close()", () => {
  /** What is to have happened when the layer is closed. */
  const failures: Promise<void>[] = [];
  const phases: readonly [string, () => Promise<void>][] = [
    ["before the broker was reached", async () => {}],
    ["when it was", () => settled()],
    [
      "while subscriptions are restored",
      async () => {
        broker.swallow("subscribe");
        await settled();
      },
    ],
    [
      "between two tries to restore them",
      async () => {
        broker.refuse("subscribe", new LayerUnavailable("no"));
        await settled();
      },
    ],
    [
      "while the broker is away",
      async () => {
        await member("room");
        await layer.openNamed("work");
        server.stop();
      },
    ],
    [
      "while everything is under way",
      async () => {
        const { name } = await member("room");
        await layer.openNamed("work");
        broker.swallow("subscribe", "publish", "push", "flush");
        const calls = [
          layer.groupAdd("other", name),
          layer.groupSend("room", hello),
          layer.send("work", hello),
          layer.openNamed("more"),
          layer.flush(),
        ];
        failures.push(
          ...calls.map((call) => expect(call).rejects.toMatchObject({ message: "the channel layer is closed" })),
        );
        await settled();
      },
    ],
    [
      "after drops",
      async () => {
        const peer = await openPeer();
        await member("room", layer, { capacity: 1 });
        for (let count = 0; count < 2; count++) await peer.groupSend("room", hello);
        await peer.close();
      },
    ],
  ];

  test.each(phases)("leaves nothing: %s", async (_name, phase) => {
    await phase();
    const closed = layer.close();
    expect(layer.close()).toBe(closed);
    await closed;
    await Promise.all(failures.splice(0));
    await settled();
    expect(clock.pending).toBe(0);
    server.stop();
    server.start();
    await clock.advance(60_000);
    expect(server.topics).toEqual([]);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });

  test("comes before what was asked for in the same turn", async () => {
    await layer.ready();
    const asked = [layer.open(), layer.openNamed("work")];
    await layer.close();
    for (const call of asked) await expect(call).rejects.toMatchObject({ message: "the channel layer is closed" });
    expect(clock.pending).toBe(0);
    expect(layer.counts.channels).toBe(0);
  });

  test("is what later calls are told of at once", async () => {
    await layer.close();
    for (const call of [layer.ready(), layer.openNamed("work"), layer.flush(), layer.send("work", hello)]) {
      await expect(call).rejects.toMatchObject({ message: "the channel layer is closed" });
    }
    await layer.groupDiscard("room", "specific.other!0");
    expect(clock.pending).toBe(0);
  });

  test("makes the layer deaf to a broker that goes on telling it things", async () => {
    const channel = await member("room");
    await layer.close();
    const before = broker.calls.length;
    broker.listener?.connected();
    broker.listener?.disconnected(new Error("late"), clock.now());
    broker.listener?.connected();
    broker.listener?.message("group:room", "a 0\n{}");
    broker.listener?.message("queue:work", "");
    broker.listener?.message("all", `a 0 join ${channel.name} room\n`);
    await clock.advance(60_000);
    expect(broker.calls.slice(before).filter((call) => call.startsWith("subscribe"))).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("ends what waits for the first connection", async () => {
    server.stop();
    [layer] = openLayer();
    await settled();
    const asked = [layer.open(), layer.openNamed("work"), layer.ready()].map((call) =>
      expect(call).rejects.toMatchObject({ message: "the channel layer is closed" }),
    );
    await layer.close();
    await Promise.all(asked);
    expect(clock.pending).toBe(0);
  });
});
