import { expect, test } from "vitest";
import { chat, Gathered, type Open, texts } from "./harness.js";

/** Channels that workers read. */
export function namedChannels(open: Open): void {
  test("keeps its messages for who reads them later, in order", async () => {
    const layer = await open();
    for (const text of ["a", "b", "c"]) await layer.send("work", chat(text));
    const reader = await layer.openNamed("work");
    expect([reader.name, reader.groups]).toEqual(["work", []]);
    expect(await texts(reader, 3)).toEqual(["a", "b", "c"]);
    await layer.send("work", chat("d"));
    expect(await texts(reader, 1)).toEqual(["d"]);
  });

  test("wakes who waits for a message", async () => {
    const layer = await open();
    const reader = await layer.openNamed("work");
    const waiting = [reader.receive(), reader.receive()];
    await layer.send("work", chat("a"));
    await layer.send("work", chat("b"));
    expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test("gives each message to one of its readers, and none to who is busy", async () => {
    const layer = await open();
    const got = new Gathered();
    const gates: (() => void)[] = [];
    const piped = await Promise.all(
      ["first", "second"].map(async () => {
        const reader = await layer.openNamed("work");
        const ended = reader.pipe(async ({ text }) => {
          got.add(text);
          await new Promise<void>((resolve) => gates.push(resolve));
        });
        return { reader, ended };
      }),
    );
    for (const text of ["a", "b", "c"]) await layer.send("work", chat(text));
    expect((await got.first(2)).sort()).toEqual(["a", "b"]);
    gates.shift()?.();
    expect((await got.first(3)).slice(2)).toEqual(["c"]);
    for (const { reader } of piped) await reader.close();
    while (gates.length > 0) gates.shift()?.();
    await Promise.all(piped.map(({ ended }) => ended));
    expect(await got.first(3)).toHaveLength(3);
  });

  test("that is full refuses a message with ChannelFull", async () => {
    const layer = await open({ capacity: 2 });
    await layer.send("work", chat("a"));
    await layer.send("work", chat("b"));
    await expect(layer.send("work", chat("lost"))).rejects.toMatchObject({ code: "channel_full" });
    const reader = await layer.openNamed("work");
    expect(await texts(reader, 2)).toEqual(["a", "b"]);
    await layer.send("work", chat("c"));
    expect(await texts(reader, 1)).toEqual(["c"]);
  });

  test("keeps what waits when a reader is closed", async () => {
    const layer = await open();
    const closed = await layer.openNamed("work");
    const waiting = expect(closed.receive()).rejects.toMatchObject({ code: "layer_unavailable" });
    await closed.close();
    await waiting;
    await expect(closed.receive()).rejects.toMatchObject({ code: "layer_unavailable" });
    await layer.send("work", chat("a"));
    expect(await texts(await layer.openNamed("work"), 1)).toEqual(["a"]);
  });

  test("lets a reader finish what it has begun, and takes nothing else", async () => {
    const layer = await open();
    const reader = await layer.openNamed("work");
    const got = new Gathered();
    let release = (): void => {};
    const ended = reader.pipe(async ({ text }) => {
      got.add(`begin ${String(text)}`);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      got.add(`end ${String(text)}`);
    });
    await layer.send("work", chat("a"));
    await layer.send("work", chat("b"));
    await got.first(1);
    await reader.close();
    release();
    await ended;
    expect(await got.first(2)).toEqual(["begin a", "end a"]);
    expect(await texts(await layer.openNamed("work"), 1)).toEqual(["b"]);
  });

  test("hears nothing of another", async () => {
    const layer = await open();
    const [work, other] = [await layer.openNamed("work"), await layer.openNamed("other")];
    await layer.send("other", chat("other"));
    await layer.send("work", chat("work"));
    expect(await texts(work, 1)).toEqual(["work"]);
    expect(await texts(other, 1)).toEqual(["other"]);
  });

  test("is emptied by flush()", async () => {
    const layer = await open();
    const reader = await layer.openNamed("work");
    await layer.send("waits", chat("forgotten"));
    await layer.flush();
    await layer.send("work", chat("a"));
    expect(await texts(reader, 1)).toEqual(["a"]);
    await layer.send("waits", chat("b"));
    expect(await texts(await layer.openNamed("waits"), 1)).toEqual(["b"]);
  });

  test("is no member of a group", async () => {
    const layer = await open();
    await expect(layer.groupAdd("room", "work")).rejects.toThrow('which has a "!"');
  });

  test.each(["", "a!b", "a b", "a".repeat(100)])("must not be named %j", async (name) => {
    const layer = await open();
    await expect(layer.openNamed(name)).rejects.toBeInstanceOf(TypeError);
  });
}
