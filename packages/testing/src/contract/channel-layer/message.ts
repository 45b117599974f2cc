import type { LayerMessage } from "@sluice/core";
import { expect, test } from "vitest";
import { chat, type Open, texts } from "./harness.js";

/** What a message may carry, and that it is nobody else's to change. */
export function layerMessages(open: Open): void {
  test("arrives as it was sent", async () => {
    const layer = await open();
    const channel = await layer.open();
    const message = {
      type: "chat.message",
      empty: "",
      text: 'Grüße, "Welt" \u{1f44b}\u0000\n',
      numbers: [0, -1.5, 1e300, 2 ** 53],
      yes: true,
      nothing: null,
      nested: { list: [{ deep: [[]] }], object: {} },
    };
    await layer.send(channel.name, message);
    expect(await channel.receive()).toEqual(message);
  });

  test("keeps a key that names the prototype as a key", async () => {
    const layer = await open();
    const channel = await layer.open();
    await layer.send(channel.name, JSON.parse('{"type":"a","__proto__":{"admin":true}}') as LayerMessage);
    const received = await channel.receive();
    expect(Object.keys(received).sort()).toEqual(["__proto__", "type"]);
    expect(received.admin).toBeUndefined();
  });

  test("does not change with what its sender does later", async () => {
    const layer = await open();
    const channel = await layer.open();
    const message = { type: "chat.message", who: { name: "ann" } };
    const sent = layer.send(channel.name, message);
    message.who.name = "bob";
    await sent;
    expect(await channel.receive()).toEqual({ type: "chat.message", who: { name: "ann" } });
  });

  test("does not change with what another receiver does", async () => {
    const layer = await open();
    const [first, second] = [await layer.open(), await layer.open()];
    for (const { name } of [first, second]) await layer.groupAdd("room", name);
    await layer.groupSend("room", { type: "chat.message", who: { name: "ann" } });
    const mine = (await first.receive()) as unknown as { who: { name: string } };
    try {
      mine.who.name = "bob";
    } catch (error) {
      // A layer may hand out what cannot be written to.
      expect(error).toBeInstanceOf(TypeError);
    }
    expect(await second.receive()).toEqual({ type: "chat.message", who: { name: "ann" } });
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => {}],
    ["a symbol", Symbol("s")],
    ["a big integer", 1n],
    ["NaN", Number.NaN],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["bytes", new Uint8Array(1)],
    ["an instance of a class", new (class Thing {})()],
  ])("that carries %s is a TypeError that names the field", async (_name, value) => {
    const layer = await open();
    const channel = await layer.open();
    await layer.groupAdd("room", channel.name);
    const message = { type: "chat.message", items: [{ fine: 1 }, { bad: value }] };
    for (const sent of [layer.send(channel.name, message), layer.groupSend("room", message)]) {
      const error: unknown = await sent.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message: expect.stringContaining("items.1.bad") });
    }
    await layer.send(channel.name, chat("next"));
    expect(await texts(channel, 1)).toEqual(["next"]);
  });

  test("that contains itself is a TypeError", async () => {
    const layer = await open();
    const message: { type: string; self?: object } = { type: "chat.message" };
    message.self = message;
    await expect(layer.groupSend("room", message)).rejects.toBeInstanceOf(TypeError);
  });

  test.each([
    ["no type", {}],
    ["an empty type", { type: "" }],
    ["a type that is no string", { type: 1 }],
    ["nothing in it at all", null],
  ])("with %s is a TypeError", async (_name, message) => {
    const layer = await open();
    const channel = await layer.open();
    await expect(layer.send(channel.name, message as LayerMessage)).rejects.toBeInstanceOf(TypeError);
    await expect(layer.groupSend("room", message as LayerMessage)).rejects.toBeInstanceOf(TypeError);
  });
}
