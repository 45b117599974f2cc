import { expect, test } from "vitest";
import { chat, type Open } from "./harness.js";

/** How a channel tells that something is missing. */
export function gaps(open: Open): void {
  test("stands where a full channel has lost messages, once for all of them", async () => {
    const layer = await open({ capacity: 1 });
    const channel = await layer.open({ gaps: true });
    await layer.groupAdd("room", channel.name);
    await layer.groupSend("room", chat("a"));
    await layer.groupSend("room", chat("lost"));
    await expect(layer.send(channel.name, chat("lost, too"))).rejects.toMatchObject({ code: "channel_full" });
    expect(await channel.receive()).toEqual(chat("a"));
    expect(await channel.receive()).toEqual({ type: "layer.gap", reason: "full", since: expect.any(Number) });
    await layer.send(channel.name, chat("b"));
    expect(await channel.receive()).toEqual(chat("b"));
  });

  test("is not told to who has not asked for it", async () => {
    const layer = await open({ capacity: 1 });
    const channel = await layer.open();
    await layer.send(channel.name, chat("a"));
    await expect(layer.send(channel.name, chat("lost"))).rejects.toMatchObject({ code: "channel_full" });
    expect(await channel.receive()).toEqual(chat("a"));
    await layer.send(channel.name, chat("b"));
    expect(await channel.receive()).toEqual(chat("b"));
  });

  test("is nobody's to send", async () => {
    const layer = await open();
    const channel = await layer.open({ gaps: true });
    const forged = { type: "layer.gap", reason: "full", since: 0 };
    await expect(layer.send(channel.name, forged)).rejects.toBeInstanceOf(TypeError);
    await expect(layer.groupSend("room", forged)).rejects.toBeInstanceOf(TypeError);
  });
}
