import type { Channel, ChannelLayer } from "@sluice/core";
import { expect, test } from "vitest";
import { chat, type Open, texts } from "./harness.js";

/** Groups and who is in them. */
export function groups(open: Open): void {
  const joined = async (layer: ChannelLayer, group: string, count: number): Promise<Channel[]> => {
    const channels = await Promise.all(Array.from({ length: count }, () => layer.open()));
    await Promise.all(channels.map(({ name }) => layer.groupAdd(group, name)));
    return channels;
  };

  test("reaches every member, and counts them", async () => {
    const layer = await open();
    const members = await joined(layer, "room", 3);
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 3, dropped: 0 });
    for (const member of members) expect(await texts(member, 1)).toEqual(["hi"]);
  });

  test("does not reach a stranger, nor the members of another group", async () => {
    const layer = await open();
    const [member] = await joined(layer, "room", 1);
    const [other] = await joined(layer, "other", 1);
    await layer.groupSend("room", chat("hi"));
    await layer.groupSend("other", chat("elsewhere"));
    expect(await texts(member, 1)).toEqual(["hi"]);
    expect(await texts(other, 1)).toEqual(["elsewhere"]);
  });

  test("gives a member that was added twice one copy", async () => {
    const layer = await open();
    const [member] = await joined(layer, "room", 1);
    await layer.groupAdd("room", member?.name ?? "");
    expect(await layer.groupSend("room", chat("a"))).toEqual({ delivered: 1, dropped: 0 });
    await layer.groupSend("room", chat("b"));
    expect(await texts(member, 2)).toEqual(["a", "b"]);
  });

  test("gives a channel in two groups what is sent to both, in order", async () => {
    const layer = await open();
    const [member] = await joined(layer, "room", 1);
    await layer.groupAdd("news", member?.name ?? "");
    await layer.groupSend("room", chat("a"));
    await layer.groupSend("news", chat("b"));
    await layer.send(member?.name ?? "", chat("c"));
    expect(await texts(member, 3)).toEqual(["a", "b", "c"]);
  });

  test("that nobody is in may be sent to", async () => {
    const layer = await open();
    expect(await layer.groupSend("nobody", chat("hi"))).toEqual({ delivered: 0, dropped: 0 });
  });

  test("drops and counts what a full member cannot take, and reaches the others", async () => {
    const layer = await open({ capacity: 1 });
    const [full, free] = await joined(layer, "room", 2);
    await layer.send(full?.name ?? "", chat("before"));
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 1, dropped: 1 });
    expect(await texts(free, 1)).toEqual(["hi"]);
    expect(await texts(full, 1)).toEqual(["before"]);
    await layer.groupSend("room", chat("again"));
    expect(await texts(full, 1)).toEqual(["again"]);
  });

  test("does not reach who has left it", async () => {
    const layer = await open();
    const [stays, leaves] = await joined(layer, "room", 2);
    await layer.groupDiscard("room", leaves?.name ?? "");
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 1, dropped: 0 });
    await layer.send(leaves?.name ?? "", chat("alone"));
    expect(await texts(stays, 1)).toEqual(["hi"]);
    expect(await texts(leaves, 1)).toEqual(["alone"]);
  });

  test("is known to its members", async () => {
    const layer = await open();
    const channel = await layer.open();
    expect(channel.groups).toEqual([]);
    for (const group of ["room", "news", "room"]) await layer.groupAdd(group, channel.name);
    expect([...channel.groups].sort()).toEqual(["news", "room"]);
    await layer.groupDiscard("room", channel.name);
    expect(channel.groups).toEqual(["news"]);
    await channel.close();
    expect(channel.groups).toEqual([]);
  });

  test("may be left by a stranger, and by a member twice", async () => {
    const layer = await open();
    const [member] = await joined(layer, "room", 1);
    const stranger = await layer.open();
    await layer.groupDiscard("room", stranger.name);
    await layer.groupDiscard("nobody", stranger.name);
    await layer.groupDiscard("room", member?.name ?? "");
    await layer.groupDiscard("room", member?.name ?? "");
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 0, dropped: 0 });
  });

  test("is left by a channel that is closed", async () => {
    const layer = await open();
    const [stays, leaves] = await joined(layer, "room", 2);
    await leaves?.close();
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 1, dropped: 0 });
    expect(await texts(stays, 1)).toEqual(["hi"]);
  });

  test("is not joined by a channel that is closed", async () => {
    const layer = await open();
    const gone = await layer.open();
    await gone.close();
    await layer.groupAdd("room", gone.name);
    expect(await layer.groupSend("room", chat("hi"))).toEqual({ delivered: 0, dropped: 0 });
  });
}
