import { expect, test } from "vitest";
import { appendAll, createUser, noIds, texts, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function messagesContract(stores: () => StoresUnderTest): void {
  test("keeps a message and shows it with its sender", async () => {
    const { messages } = stores();
    const { id, username, name } = await createUser(stores());
    const room = unique("room");
    const message = await messages.append({ room, senderId: id, text: "hello" });
    expect(message).toEqual({
      id: expect.stringMatching(/^.+$/),
      room,
      sender: { id, username, name },
      text: "hello",
      sentAt: expect.any(Number),
    });
    expect(Math.abs(Date.now() - message.sentAt)).toBeLessThan(60_000);
    expect(await messages.recent(room, 10)).toEqual([message]);
  });

  test("shows the last messages, oldest first", async () => {
    const { messages } = stores();
    const room = unique("room");
    const sent = await appendAll(stores(), room, ["1", "2", "3", "4", "5"]);
    expect(await messages.recent(room, 3)).toEqual(sent.slice(2));
    expect(await messages.recent(room, 5)).toEqual(sent);
    expect(await messages.recent(room, 1_000_000)).toEqual(sent);
    expect(await messages.recent(room, 0)).toEqual([]);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a limit of %d with a TypeError",
    async (limit) => {
      await expect(stores().messages.recent(unique("room"), limit)).rejects.toThrow(TypeError);
    },
  );

  test("keeps rooms apart, to the letter", async () => {
    const { messages } = stores();
    const room = unique("room");
    const [message] = await appendAll(stores(), room, ["here"]);
    for (const other of [unique("room"), room.toUpperCase(), `${room} `, "", "%", "nul\0"]) {
      expect(await messages.recent(other, 10)).toEqual([]);
    }
    expect(await messages.recent(room, 10)).toEqual([message]);
  });

  test("keeps text of any script, to the letter", async () => {
    const { messages } = stores();
    const room = unique("🏠 комната");
    const sent = await appendAll(stores(), room, texts);
    expect(sent.map((message) => message.text)).toEqual(texts);
    expect(await messages.recent(room, texts.length)).toEqual(sent);
  });

  test("replaces half a surrogate pair as UTF-8 must, in the answer too", async () => {
    const { messages } = stores();
    const room = unique("room");
    const [message] = await appendAll(stores(), room, ["a\ud800b"]);
    expect(message?.text).toBe("a\ufffdb");
    expect(await messages.recent(room, 1)).toEqual([message]);
  });

  test("refuses NUL characters with a TypeError, and keeps nothing", async () => {
    const { messages } = stores();
    const { id: senderId } = await createUser(stores());
    const room = unique("room");
    await expect(messages.append({ room, senderId, text: "a\0b" })).rejects.toThrow(TypeError);
    await expect(messages.append({ room, senderId, text: "a\0b" })).rejects.toThrow(/text.*NUL/);
    await expect(messages.append({ room: `${room}\0`, senderId, text: "a" })).rejects.toThrow(/room.*NUL/);
    expect(await messages.recent(room, 10)).toEqual([]);
  });

  test.each(noIds)("refuses a message from an id that is $what", async ({ id: senderId }) => {
    const { messages } = stores();
    const room = unique("room");
    await expect(messages.append({ room, senderId, text: "a" })).rejects.toThrow(TypeError);
    expect(await messages.recent(room, 10)).toEqual([]);
  });

  test("keeps each of a thousand messages that come at once, and their place before the next", async () => {
    const { messages } = stores();
    const room = unique("crowd");
    const { id: senderId } = await createUser(stores());
    const sent = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => messages.append({ room, senderId, text: `${index}` })),
    );
    const [last] = await appendAll(stores(), room, ["last"]);
    expect(new Set(sent.map((message) => message.id)).size).toBe(1000);

    const kept = await messages.recent(room, 2000);
    expect(kept).toHaveLength(1001);
    expect(kept.at(-1)).toEqual(last);
    const byId = new Map(kept.map((message) => [message.id, message]));
    for (const message of sent) expect(byId.get(message.id)).toEqual(message);
  });
}
