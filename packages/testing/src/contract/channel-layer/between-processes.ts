import type { Channel, ChannelLayer } from "@sluice/core";
import { expect, test } from "vitest";
import { chat, Gathered, type OpenSeveral, texts } from "./harness.js";

/** What several processes on one server are to one another. */
export function betweenProcesses(openSeveral: OpenSeveral): void {
  const two = async (settings = {}): Promise<[ChannelLayer, ChannelLayer]> =>
    (await openSeveral(2, settings)) as [ChannelLayer, ChannelLayer];

  test("a group reaches its members in all of them, and nobody else", async () => {
    const layers = await openSeveral(3);
    const members = await Promise.all(layers.slice(0, 2).map((layer) => layer.open()));
    for (const [index, member] of members.entries()) await layers[index]?.groupAdd("room", member.name);
    const stranger = await layers[1]?.open();
    for (const [index, layer] of layers.entries()) await layer.groupSend("room", chat(`from ${index}`));
    for (const member of members) expect(await texts(member, 3)).toEqual(["from 0", "from 1", "from 2"]);
    await layers[1]?.send(stranger?.name ?? "", chat("alone"));
    expect(await texts(stranger, 1)).toEqual(["alone"]);
  });

  test("messages keep the order of their sender, also where it does not wait", async () => {
    const [here, there] = await two();
    const member = await there.open({ capacity: 1_000 });
    await there.groupAdd("room", member.name);
    const expected = Array.from({ length: 200 }, (_, index) => String(index));
    await Promise.all(expected.map((text) => here.groupSend("room", chat(text))));
    expect(await texts(member, 200)).toEqual(expected);
  });

  test("messages to a channel and to its group keep their order within a process", async () => {
    const [here] = await two();
    const member = await here.open({ capacity: 1_000 });
    await here.groupAdd("room", member.name);
    const expected = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(
      expected.map((text, index) =>
        index % 3 === 0 ? here.send(member.name, chat(text)) : here.groupSend("room", chat(text)),
      ),
    );
    expect(await texts(member, 100)).toEqual(expected);
  });

  test("a channel can be reached from another", async () => {
    const [here, there] = await two();
    const channel = await there.open();
    for (const text of ["a", "b", "c"]) await here.send(channel.name, chat(text));
    expect(await texts(channel, 3)).toEqual(["a", "b", "c"]);
  });

  test("a full channel is ChannelFull for who sends from another, and harms no neighbour", async () => {
    const [here, there] = await two({ capacity: 2 });
    const [full, free] = [await there.open(), await there.open()];
    for (const { name } of [full, free]) await there.groupAdd("room", name);
    await here.send(full.name, chat("a"));
    await here.send(full.name, chat("b"));
    await expect(here.send(full.name, chat("lost"))).rejects.toMatchObject({ code: "channel_full" });
    expect(await here.groupSend("room", chat("hi"))).toEqual({ delivered: 0, dropped: 0 });
    await here.send(free.name, chat("direct"));
    expect(await texts(free, 2)).toEqual(["hi", "direct"]);
    expect(await texts(full, 2)).toEqual(["a", "b"]);
  });

  test("a channel of a process that has gone may be sent to", async () => {
    const [here, there] = await two();
    const channel = await there.open();
    await there.close();
    await expect(here.send(channel.name, chat("a"))).resolves.toBeUndefined();
    await here.groupAdd("room", channel.name);
    await here.groupDiscard("room", channel.name);
    expect(await here.groupSend("room", chat("a"))).toEqual({ delivered: 0, dropped: 0 });
  });

  test("a group can be joined and left on behalf of a channel of another", async () => {
    const [here, there] = await two();
    const channel = await there.open();
    await here.groupAdd("room", channel.name);
    await here.groupSend("room", chat("a"));
    await here.groupDiscard("room", channel.name);
    await here.groupSend("room", chat("b"));
    await here.send(channel.name, chat("c"));
    expect(await texts(channel, 2)).toEqual(["a", "c"]);
  });

  test("nobody gets the answer before the question", async () => {
    const layers = await openSeveral(3);
    const gathered = layers.map(() => new Gathered());
    const members = await Promise.all(layers.map((layer) => layer.open()));
    await Promise.all(layers.map((layer, index) => layer.groupAdd("room", members[index]?.name ?? "")));
    const piped = members.map((member, index) =>
      member.pipe(async ({ text }) => {
        gathered[index]?.add(text);
        if (text === "question") await layers[index]?.groupSend("room", chat(`answer ${index}`));
      }),
    );
    await layers[0]?.groupSend("room", chat("question"));
    for (const got of gathered) {
      const seen = await got.first(4);
      expect(seen[0]).toBe("question");
      expect(seen.slice(1).sort()).toEqual(["answer 0", "answer 1", "answer 2"]);
    }
    await Promise.all(members.map((member) => member.close()));
    await Promise.all(piped);
  });

  test("a message of 1 MiB arrives, and one of any characters", async () => {
    const [here, there] = await two();
    const member = await there.open();
    await there.groupAdd("room", member.name);
    const large = "x".repeat(1_048_576);
    const strange = 'Grüße, "Welt" \u{1f44b}\u0000\n\r\u2028';
    await here.groupSend("room", chat(large));
    await here.groupSend("room", chat(strange));
    await here.send(member.name, chat(large));
    await here.send("work", chat(large));
    expect(await texts(member, 3)).toEqual([large, strange, large]);
    expect(await texts(await there.openNamed("work"), 1)).toEqual([large]);
  });

  test("a named channel gives each message to one reader, wherever that is", async () => {
    const layers = await openSeveral(3);
    const got = new Gathered();
    const readers: Channel[] = [];
    const piped: Promise<void>[] = [];
    for (const layer of layers) {
      const reader = await layer.openNamed("work");
      readers.push(reader);
      piped.push(reader.pipe(({ text }) => got.add(text)));
    }
    const expected = Array.from({ length: 60 }, (_, index) => String(index));
    for (const [index, text] of expected.entries()) await layers[index % 3]?.send("work", chat(text));
    const seen = await got.first(60);
    expect(seen.sort()).toEqual([...expected].sort());
    await Promise.all(readers.map((reader) => reader.close()));
    await Promise.all(piped);
  });

  test("flush() empties the groups of all", async () => {
    const [here, there] = await two();
    const member = await there.open();
    await there.groupAdd("room", member.name);
    await here.flush();
    // An answer from there comes after what was published before the question.
    await here.send(member.name, chat("still open"));
    await here.groupSend("room", chat("nobody"));
    // Not the same group again: what was sent to that one a moment ago may still be on its way.
    await there.groupAdd("other", member.name);
    await here.groupSend("other", chat("a"));
    expect(await texts(member, 2)).toEqual(["still open", "a"]);
  });

  test("the end of one leaves the others alone", async () => {
    const [here, there] = await two();
    const [mine, other] = [await here.open(), await there.open()];
    await here.groupAdd("room", mine.name);
    await there.groupAdd("room", other.name);
    await there.close();
    expect(await here.groupSend("room", chat("a"))).toEqual({ delivered: 1, dropped: 0 });
    expect(await texts(mine, 1)).toEqual(["a"]);
  });
}
