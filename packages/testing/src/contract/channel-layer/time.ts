import type { Channel, ChannelLayer } from "@sluice/core";
import { beforeEach, expect, test } from "vitest";
import type { FakeClock } from "../../fake-clock.js";
import { chat, type Open, texts } from "./harness.js";

/** Expiry, on a clock that the test moves. */
export function time(open: Open, clock: FakeClock): void {
  let layer: ChannelLayer;
  let channel: Channel;
  beforeEach(async () => {
    layer = await open({ capacity: 2, expiry: 1_000 });
    channel = await layer.open();
  });

  test("takes a message away that has waited for longer than its expiry", async () => {
    await layer.send(channel.name, chat("old"));
    await clock.advance(999);
    await layer.send(channel.name, chat("young"));
    await clock.advance(2);
    expect(await texts(channel, 1)).toEqual(["young"]);
  });

  test("makes room in a full channel", async () => {
    await layer.send(channel.name, chat("old"));
    await layer.send(channel.name, chat("old"));
    await clock.advance(1_001);
    await layer.send(channel.name, chat("young"));
    expect(await texts(channel, 1)).toEqual(["young"]);
  });

  test("does not take a message to a reader that waits for one", async () => {
    const waiting = channel.receive();
    await clock.advance(10_000);
    await layer.send(channel.name, chat("a"));
    expect(await waiting).toEqual(chat("a"));
  });

  test("takes a message away that has waited in a named channel for longer than its expiry", async () => {
    await layer.send("work", chat("old"));
    await clock.advance(999);
    await layer.send("work", chat("young"));
    await clock.advance(2);
    expect(await texts(await layer.openNamed("work"), 1)).toEqual(["young"]);
  });

  test("makes room in a full named channel, whether somebody reads it or not", async () => {
    for (const text of ["old", "old"]) await layer.send("work", chat(text));
    await expect(layer.send("work", chat("lost"))).rejects.toMatchObject({ code: "channel_full" });
    await clock.advance(1_001);
    await layer.send("work", chat("young"));
    const reader = await layer.openNamed("work");
    expect(await texts(reader, 1)).toEqual(["young"]);
    for (const text of ["old", "old"]) await layer.send("work", chat(text));
    await clock.advance(1_001);
    await layer.send("work", chat("younger"));
    expect(await texts(reader, 1)).toEqual(["younger"]);
  });

  test("empties a named channel that nobody has ever read", async () => {
    await layer.send("work", chat("old"));
    await clock.advance(1_001);
    const reader = await layer.openNamed("work");
    const waiting = reader.receive();
    await layer.send("work", chat("a"));
    expect(await waiting).toEqual(chat("a"));
  });

  test("does not take a message to a reader of a named channel that waits for one", async () => {
    const reader = await layer.openNamed("work");
    const waiting = reader.receive();
    await clock.advance(10_000);
    await layer.send("work", chat("a"));
    expect(await waiting).toEqual(chat("a"));
  });

  test("is told of as a gap to who wants to know, since the first message of it was sent", async () => {
    const careful = await layer.open({ gaps: true });
    const since = clock.now();
    await layer.send(careful.name, chat("old"));
    await clock.advance(1_001);
    await layer.send(careful.name, chat("young"));
    expect(await careful.receive()).toEqual({ type: "layer.gap", reason: "expired", since });
    expect(await careful.receive()).toEqual(chat("young"));
  });

  test("is not a reason for an open channel to fall out of a group", async () => {
    await layer.groupAdd("room", channel.name);
    await clock.advance(7 * 86_400_000);
    expect(await layer.groupSend("room", chat("still here"))).toEqual({ delivered: 1, dropped: 0 });
    expect(await texts(channel, 1)).toEqual(["still here"]);
  });
}
