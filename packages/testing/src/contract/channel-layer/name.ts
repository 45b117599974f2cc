import { expect, test } from "vitest";
import { chat, type Open, texts } from "./harness.js";

/** Which names channels and groups may have. */
export function names(open: Open): void {
  const longest = "a".repeat(99);

  test.each(["a", "room.1", "A-Z_0-9", longest])("may be %s", async (name) => {
    const layer = await open();
    const channel = await layer.open();
    await layer.groupAdd(name, channel.name);
    await layer.groupSend(name, chat("hi"));
    expect(await texts(channel, 1)).toEqual(["hi"]);
  });

  test.each(["", "with space", "a/b", "a!b!c", "!a", "a!", "ümlaut", "a\n", `${longest}a`, 1 as unknown as string])(
    "must not be %j",
    async (name) => {
      const layer = await open();
      const { name: good } = await layer.open();
      for (const refused of [
        layer.send(name, chat("hi")),
        layer.groupAdd(name, good),
        layer.groupAdd("room", name),
        layer.groupDiscard(name, good),
        layer.groupDiscard("room", name),
        layer.groupSend(name, chat("hi")),
      ]) {
        const error: unknown = await refused.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(TypeError);
        expect(error).toMatchObject({ message: expect.stringMatching(/letters, digits/) });
      }
    },
  );

  test("of a group has no exclamation mark", async () => {
    const layer = await open();
    const { name } = await layer.open();
    await expect(layer.groupAdd("a!b", name)).rejects.toBeInstanceOf(TypeError);
    await expect(layer.groupSend("a!b", chat("hi"))).rejects.toBeInstanceOf(TypeError);
  });

  test("cannot be made with a bad prefix", async () => {
    const layer = await open();
    await expect(layer.open({ prefix: "a b" })).rejects.toBeInstanceOf(TypeError);
    await expect(layer.open({ prefix: "a!b" })).rejects.toBeInstanceOf(TypeError);
  });
}
