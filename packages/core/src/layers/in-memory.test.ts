import { createHook } from "node:async_hooks";
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../errors.js";
import { InMemoryChannelLayer } from "./in-memory.js";
import type { Mailbox } from "./mailbox.js";

// What every channel layer promises is tested by the contract suite of @sluice/testing.

const hello = { type: "hello" };

describe("InMemoryChannelLayer", () => {
  test("holds 100 messages per channel by default", async () => {
    const layer = new InMemoryChannelLayer();
    const { name } = await layer.open();
    for (let index = 0; index < 100; index++) await layer.send(name, hello);
    await expect(layer.send(name, hello)).rejects.toMatchObject({ code: "channel_full" });
  });

  test("keeps a message for 60 s by default", async () => {
    let now = 0;
    const layer = new InMemoryChannelLayer({ clock: { now: () => now, after: () => () => {} } });
    const channel = await layer.open();
    for (const type of ["old", "old"]) await layer.send(channel.name, { type });
    now = 1;
    await layer.send(channel.name, { type: "young" });
    now = 60_000;
    expect(await channel.receive()).toEqual({ type: "young" });
  });

  test("takes capacities by pattern, the first that fits, and one given to open() before them", async () => {
    const layer = new InMemoryChannelLayer({
      capacity: 5,
      channelCapacity: { "chat.*": 1, "*.vip.*": 3, "c.at*": 4, "*": 2 },
    });
    const room = async (options: { prefix: string; capacity?: number }): Promise<number> => {
      const { name } = await layer.open(options);
      for (let sent = 0; ; sent++) {
        if (
          await layer.send(name, hello).then(
            () => false,
            () => true,
          )
        )
          return sent;
      }
    };
    expect(await room({ prefix: "chat.vip.a" })).toBe(1);
    expect(await room({ prefix: "news.vip.a" })).toBe(3);
    expect(await room({ prefix: "chaat" })).toBe(2);
    expect(await room({ prefix: "chat", capacity: 7 })).toBe(7);
  });

  test.each([
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: Number.NaN },
    { channelCapacity: { a: -1 } },
    { expiry: 0 },
    { expiry: Number.NaN },
  ])("cannot be made with %j", (options) => {
    expect(() => new InMemoryChannelLayer(options)).toThrow(ConfigurationError);
  });

  test("hands a group message to synchronous readers at once, without a promise per member", async () => {
    const layer = new InMemoryChannelLayer();
    let delivered = 0;
    const channels = await Promise.all(Array.from({ length: 100 }, () => layer.open()));
    for (const channel of channels) {
      await layer.groupAdd("room", channel.name);
      void channel.pipe(() => {
        delivered++;
      });
    }
    let promises = 0;
    const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) }).enable();
    const sent = layer.groupSend("room", hello);
    hook.disable();
    expect(delivered).toBe(100);
    expect(promises).toBe(1);
    expect(await sent).toEqual({ delivered: 100, dropped: 0 });
  });

  test("does not run out of stack when each reader wakes the next", async () => {
    const layer = new InMemoryChannelLayer();
    const channels = await Promise.all(Array.from({ length: 20_000 }, () => layer.open()));
    let last = -1;
    for (const [index, channel] of channels.entries()) {
      void channel.pipe(() => {
        last = index;
        const next = channels[index + 1];
        if (next !== undefined) void layer.send(next.name, hello);
      });
    }
    await layer.send(channels[0]?.name ?? "", hello);
    expect(last).toBe(19_999);
  });

  test("shows no reader an answer before its question, though readers are synchronous", async () => {
    const layer = new InMemoryChannelLayer();
    const seen: string[] = [];
    for (const reader of ["a", "b", "c"]) {
      const channel = await layer.open();
      await layer.groupAdd("room", channel.name);
      void channel.pipe(({ type }) => {
        seen.push(`${reader}:${type}`);
        if (reader === "a" && type === "question") void layer.groupSend("room", { type: "answer" });
      });
    }
    await layer.groupSend("room", { type: "question" });
    for (const reader of ["b", "c"]) {
      expect(seen.indexOf(`${reader}:question`)).toBeLessThan(seen.indexOf(`${reader}:answer`));
    }
    expect(seen.length).toBe(6);
  });

  test("gives every member the same frozen copy", async () => {
    const layer = new InMemoryChannelLayer();
    const [first, second] = [await layer.open(), await layer.open()];
    for (const { name } of [first, second]) await layer.groupAdd("room", name);
    const message = { type: "hello", who: { tags: ["a"] } };
    await layer.groupSend("room", message);
    const received = await first.receive();
    expect(received).toBe(await second.receive());
    expect(received).not.toBe(message);
    expect(() => (received.who as { tags: string[] }).tags.push("b")).toThrow(TypeError);
  });

  test("leaves nothing behind of what was closed", async () => {
    const layer = new InMemoryChannelLayer();
    const channels = await Promise.all(Array.from({ length: 10 }, () => layer.open()));
    for (const [index, { name }] of channels.entries()) {
      await layer.groupAdd("room", name);
      await layer.groupAdd(`room.${index}`, name);
    }
    expect(layer.counts).toEqual({ channels: 10, groups: 11 });
    await layer.groupDiscard("room.0", channels[0]?.name ?? "");
    expect(layer.counts).toEqual({ channels: 10, groups: 10 });
    for (const channel of channels) await channel.close();
    await layer.groupAdd("room", channels[0]?.name ?? "");
    await layer.send(channels[0]?.name ?? "", hello);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });

  test("counts every membership of every open channel", async () => {
    const layer = new InMemoryChannelLayer();
    const [first, second] = [await layer.open(), await layer.open()];
    for (const { name } of [first, second, first]) await layer.groupAdd("room", name);
    await layer.groupAdd("other", first.name);
    expect(layer.memberships).toBe(3);
    await layer.groupDiscard("room", second.name);
    expect(layer.memberships).toBe(2);
    await first.close();
    expect(layer.memberships).toBe(0);
  });

  test("remembers a membership once, however often it is refreshed", async () => {
    const layer = new InMemoryChannelLayer();
    const channel = await layer.open();
    for (const group of ["a", "b", "a", "b"]) await layer.groupAdd(group, channel.name);
    expect((channel as Mailbox).groups).toEqual(["a", "b"]);
    await layer.groupDiscard("a", channel.name);
    expect((channel as Mailbox).groups).toEqual(["b"]);
  });

  test("may be pulled from before it is piped", async () => {
    const layer = new InMemoryChannelLayer();
    const channel = await layer.open();
    const first = channel.receive();
    for (const type of ["first", "second"]) await layer.send(channel.name, { type });
    expect(await first).toEqual({ type: "first" });
    const piped: string[] = [];
    const ended = channel.pipe(({ type }) => void piped.push(type));
    await channel.close();
    await ended;
    expect(piped).toEqual(["second"]);
  });

  test("is read in one way per channel", async () => {
    const layer = new InMemoryChannelLayer();
    const piped = await layer.open();
    const ended = piped.pipe(() => {});
    await expect(piped.receive()).rejects.toThrow("expected either receive() or pipe()");
    await expect(piped.pipe(() => {})).rejects.toThrow("expected one pipe()");
    const pulled = await layer.open();
    const waiting = pulled.receive();
    await expect(pulled.pipe(() => {})).rejects.toThrow("expected one pipe()");
    await layer.send(pulled.name, hello);
    expect(await waiting).toEqual(hello);
    await layer.close();
    await ended;
  });

  test("ends the pipe of a channel that was closed before it was read", async () => {
    const channel = await new InMemoryChannelLayer().open();
    await channel.close();
    await expect(channel.pipe(() => {})).resolves.toBeUndefined();
  });

  test("counts a member whose reader has failed as full, once its channel is", async () => {
    const layer = new InMemoryChannelLayer({ capacity: 1 });
    const channel = await layer.open();
    await layer.groupAdd("room", channel.name);
    const failed = expect(channel.pipe(() => Promise.reject(new Error("reader")))).rejects.toThrow("reader");
    await layer.groupSend("room", hello);
    await failed;
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
    expect(await layer.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 1 });
    expect(layer.dropped).toBe(1);
  });
});
