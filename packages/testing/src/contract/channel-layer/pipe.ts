import { expect, test } from "vitest";
import { chat, Gathered, type Open } from "./harness.js";

/** Channels that are read by pushing. */
export function pipes(open: Open): void {
  test("hands on what waits and what comes, in order", async () => {
    const layer = await open();
    const channel = await layer.open();
    const got = new Gathered();
    await layer.send(channel.name, chat("a"));
    const piped = channel.pipe(({ text }) => got.add(text));
    await layer.send(channel.name, chat("b"));
    await layer.send(channel.name, chat("c"));
    expect(await got.first(3)).toEqual(["a", "b", "c"]);
    await channel.close();
    await piped;
  });

  test("hands on the next message when the promise of the one before has settled", async () => {
    const layer = await open();
    const channel = await layer.open();
    const got = new Gathered();
    const gates: (() => void)[] = [];
    const piped = channel.pipe(async ({ text }) => {
      got.add(`begin ${String(text)}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      got.add(`end ${String(text)}`);
    });
    await layer.send(channel.name, chat("a"));
    await layer.send(channel.name, chat("b"));
    await got.first(1);
    gates[0]?.();
    expect(await got.first(3)).toEqual(["begin a", "end a", "begin b"]);
    gates[1]?.();
    await got.first(4);
    await channel.close();
    await piped;
  });

  test("that is busy fills up, and drops what it cannot take", async () => {
    const layer = await open({ capacity: 1 });
    const channel = await layer.open();
    await layer.groupAdd("room", channel.name);
    const got = new Gathered();
    let release = (): void => {};
    const piped = channel.pipe(async ({ text }) => {
      got.add(text);
      if (text === "busy") {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
    });
    await layer.send(channel.name, chat("busy"));
    await got.first(1);
    expect(await layer.groupSend("room", chat("waits"))).toEqual({ delivered: 1, dropped: 0 });
    expect(await layer.groupSend("room", chat("lost"))).toEqual({ delivered: 0, dropped: 1 });
    release();
    expect(await got.first(2)).toEqual(["busy", "waits"]);
    await layer.send(channel.name, chat("next"));
    expect(await got.first(3)).toEqual(["busy", "waits", "next"]);
    await channel.close();
    await piped;
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("reader");
      },
    ],
    ["rejects", () => Promise.reject(new Error("reader"))],
  ])("whose sink %s fails alone", async (_name, sink) => {
    const layer = await open();
    const [bad, good] = [await layer.open(), await layer.open()];
    for (const { name } of [bad, good]) await layer.groupAdd("room", name);
    const got = new Gathered();
    const failed = expect(bad.pipe(sink)).rejects.toThrow("reader");
    const piped = good.pipe(({ text }) => got.add(text));
    await layer.groupSend("room", chat("a"));
    await failed;
    await layer.groupSend("room", chat("b"));
    expect(await got.first(2)).toEqual(["a", "b"]);
    await good.close();
    await piped;
  });

  test("shows nobody the answer before the question", async () => {
    const layer = await open();
    const channels = await Promise.all(Array.from({ length: 3 }, () => layer.open()));
    for (const { name } of channels) await layer.groupAdd("room", name);
    const gathered = channels.map(() => new Gathered());
    const piped = channels.map((channel, index) =>
      channel.pipe(async ({ text }) => {
        gathered[index]?.add(text);
        if (text === "question") await layer.groupSend("room", chat(`answer ${index}`));
      }),
    );
    await layer.groupSend("room", chat("question"));
    const seen = await Promise.all(gathered.map((got) => got.first(4)));
    for (const texts of seen) {
      expect(texts[0]).toBe("question");
      expect(texts.slice(1).sort()).toEqual(["answer 0", "answer 1", "answer 2"]);
    }
    await Promise.all(channels.map((channel) => channel.close()));
    await Promise.all(piped);
  });

  test("reaches its own sender", async () => {
    const layer = await open();
    const channel = await layer.open();
    await layer.groupAdd("room", channel.name);
    const got = new Gathered();
    const piped = channel.pipe(async ({ text }) => {
      got.add(text);
      if (text === "a") await layer.groupSend("room", chat("b"));
    });
    await layer.send(channel.name, chat("a"));
    expect(await got.first(2)).toEqual(["a", "b"]);
    await channel.close();
    await piped;
  });
}
