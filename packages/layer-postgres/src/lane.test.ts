import { expect, it } from "vitest";
import { Lane } from "./lane.js";

/** Two lanes, and what was begun on them; each call ends when it is told to. */
function lanes() {
  const [one, other] = [new Lane(), new Lane()];
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const call = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.set(name, resolve));
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { one, other, begun, call, end };
}

it("begins calls at once where nothing about the same topic is under way", () => {
  const { one, other, begun, call } = lanes();
  void one.enterFor("a", other, call("a"));
  void other.enterFor("b", one, call("b"));
  void one.enterFor("a", other, call("a again"));
  void other.enter(call("c"));
  expect(begun).toEqual(["a", "b", "a again", "c"]);
});

it("lets a call wait for those about its topic on the other lane, and those behind it too", async () => {
  const { one, other, begun, call, end } = lanes();
  void other.enterFor("a", one, call("first"));
  void other.enterFor("a", one, call("second"));
  void one.enterFor("a", other, call("waits"));
  void one.enter(call("behind"));
  void other.enterFor("b", one, call("beside"));
  await end("first");
  expect(begun).toEqual(["first", "second", "beside"]);
  await end("second");
  expect(begun).toEqual(["first", "second", "beside", "waits", "behind"]);
  void one.enter(call("later"));
  expect(begun.at(-1)).toBe("later");
});

it("goes on after a failure, which is that of the call alone", async () => {
  const { one, other } = lanes();
  const failed = other.enterFor("a", one, () => Promise.reject(new Error("failed")));
  const waited = one.enterFor("a", other, async () => "waited");
  const behind = one.enter(async () => "behind");
  await expect(failed).rejects.toThrow("failed");
  expect(await Promise.all([waited, behind])).toEqual(["waited", "behind"]);
});

it.each(Array.from({ length: 10 }, (_, ticks) => ticks))(
  "lets nothing pass a call whose turn has just come, %i ticks later",
  async (ticks) => {
    const { one, other, begun, call, end } = lanes();
    void other.enterFor("a", one, call("first"));
    void one.enterFor("a", other, call("waits"));
    const ended = end("first");
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    void one.enter(call("later"));
    await ended;
    expect(begun).toEqual(["first", "waits", "later"]);
  },
);
