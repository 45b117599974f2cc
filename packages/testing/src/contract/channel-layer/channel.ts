import { expect, test } from "vitest";
import { chat, type Open, texts } from "./harness.js";

/** One channel, read by pulling. */
export function channels(open: Open): void {
  test("has a name of its own, with one exclamation mark, that begins with its prefix", async () => {
    const layer = await open();
    const [first, second, third] = [await layer.open(), await layer.open(), await layer.open({ prefix: "chat" })];
    for (const { name } of [first, second, third]) {
      expect(name).toMatch(/^[A-Za-z0-9._-]+![A-Za-z0-9._-]+$/);
      expect(name.length).toBeLessThan(100);
    }
    expect(new Set([first.name, second.name, third.name]).size).toBe(3);
    expect(third.name.startsWith("chat")).toBe(true);
  });

  test("gives its messages in the order they were sent, each once", async () => {
    const layer = await open();
    const channel = await layer.open();
    for (const text of ["a", "b", "c"]) await layer.send(channel.name, chat(text));
    expect(await texts(channel, 3)).toEqual(["a", "b", "c"]);
    await layer.send(channel.name, chat("d"));
    expect(await texts(channel, 1)).toEqual(["d"]);
  });

  test("wakes who waits for a message, in the order of waiting", async () => {
    const layer = await open();
    const channel = await layer.open();
    const waiting = [channel.receive(), channel.receive()];
    await layer.send(channel.name, chat("a"));
    await layer.send(channel.name, chat("b"));
    expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test("gets only what is sent to it", async () => {
    const layer = await open();
    const [mine, other] = [await layer.open(), await layer.open()];
    await layer.send(other.name, chat("other"));
    await layer.send(mine.name, chat("mine"));
    expect(await texts(mine, 1)).toEqual(["mine"]);
    expect(await texts(other, 1)).toEqual(["other"]);
  });

  test("that is full refuses a message with ChannelFull, and takes one again when it was read", async () => {
    const layer = await open({ capacity: 2 });
    const channel = await layer.open();
    await layer.send(channel.name, chat("a"));
    await layer.send(channel.name, chat("b"));
    await expect(layer.send(channel.name, chat("lost"))).rejects.toMatchObject({ code: "channel_full" });
    expect(await texts(channel, 1)).toEqual(["a"]);
    await layer.send(channel.name, chat("c"));
    expect(await texts(channel, 2)).toEqual(["b", "c"]);
  });

  test("may have a capacity of its own", async () => {
    const layer = await open({ capacity: 5 });
    const [small, usual] = [await layer.open({ capacity: 1 }), await layer.open()];
    for (const { name } of [small, usual]) await layer.send(name, chat("a"));
    await expect(layer.send(small.name, chat("b"))).rejects.toMatchObject({ code: "channel_full" });
    await layer.send(usual.name, chat("b"));
    expect(await texts(usual, 2)).toEqual(["a", "b"]);
  });

  test("that nobody has open may be sent to", async () => {
    const layer = await open();
    const gone = await layer.open();
    await gone.close();
    await expect(layer.send(gone.name, chat("a"))).resolves.toBeUndefined();
    await expect(layer.send("nobody", chat("a"))).resolves.toBeUndefined();
  });
}
