import { expect, test } from "vitest";
import { chat, Gathered, type Open, texts } from "./harness.js";

/** What is left after close and flush. */
export function ends(open: Open): void {
  test("of a channel drops what waits, ends its pipe and may come twice", async () => {
    const layer = await open();
    const channel = await layer.open();
    const got = new Gathered();
    let release = (): void => {};
    const piped = channel.pipe(async ({ text }) => {
      got.add(text);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await layer.send(channel.name, chat("a"));
    await layer.send(channel.name, chat("dropped"));
    await got.first(1);
    await channel.close();
    release();
    await piped;
    await channel.close();
    expect(await got.first(1)).toEqual(["a"]);
    await expect(channel.pipe(() => {})).rejects.toBeInstanceOf(TypeError);
  });

  test("of a channel ends who waits for a message, and who asks for one later", async () => {
    const layer = await open();
    const channel = await layer.open();
    const waiting = expect(channel.receive()).rejects.toMatchObject({ code: "layer_unavailable" });
    await channel.close();
    await waiting;
    await expect(channel.receive()).rejects.toMatchObject({ code: "layer_unavailable" });
  });

  test("by flush() forgets messages and groups, and leaves channels open", async () => {
    const layer = await open();
    const channel = await layer.open();
    await layer.groupAdd("room", channel.name);
    await layer.groupSend("room", chat("forgotten"));
    await layer.flush();
    expect(await layer.groupSend("room", chat("nobody"))).toEqual({ delivered: 0, dropped: 0 });
    // Not the same group again: what was sent to that one a moment ago may still be on its way.
    await layer.groupAdd("other", channel.name);
    await layer.groupSend("other", chat("a"));
    expect(await texts(channel, 1)).toEqual(["a"]);
  });

  test("of a layer ends its channels; what is asked of it later fails", async () => {
    const layer = await open();
    const [read, piped, idle] = [await layer.open(), await layer.open(), await layer.open()];
    const waiting = expect(read.receive()).rejects.toMatchObject({ code: "layer_unavailable" });
    const ended = piped.pipe(() => {});
    await layer.close();
    await waiting;
    await ended;
    for (const asked of [
      layer.open(),
      layer.send(idle.name, chat("a")),
      layer.groupAdd("room", idle.name),
      layer.groupSend("room", chat("a")),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: "layer_unavailable" });
    }
  });

  test("of a layer may come twice, and a channel may still be put away after it", async () => {
    const layer = await open();
    const channel = await layer.open();
    await layer.close();
    await layer.close();
    await layer.groupDiscard("room", channel.name);
    await channel.close();
  });
}
