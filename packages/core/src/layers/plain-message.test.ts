import { createContext, runInContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { LayerMessage } from "../ports/channel-layer.js";
import { plainMessage } from "./plain-message.js";

function nested(levels: number): LayerMessage {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return { type: "a", value };
}

describe("plainMessage", () => {
  test.each([
    [{ type: "a", when: new Date(0) }, 'in "message.when", got Date'],
    [{ type: "a", user: { tags: ["x", undefined] } }, 'in "message.user.tags.1", got undefined'],
    [{ type: "a", list: Array(1) }, 'in "message.list.0", got undefined'],
    [{ type: "a", share: 0 / 0 }, 'in "message.share", got NaN'],
    [{ type: "a", big: 1n }, 'in "message.big", got bigint'],
  ])("names the field of %o", (message, words) => {
    expect(() => plainMessage(message)).toThrow(`expected plain data that JSON can carry ${words}`);
  });

  test("takes 100 levels, the message itself included, and no more", () => {
    expect(plainMessage(nested(99))).toEqual(nested(99));
    expect(() => plainMessage(nested(100))).toThrow(
      /expected at most 100 levels and no cycle, got more under "message\.value\.0\.0"/,
    );
  });

  test("takes objects without a prototype, and those of another realm", () => {
    const bare = Object.assign(Object.create(null) as object, { type: "a", n: 1 });
    expect(plainMessage(bare as LayerMessage)).toEqual({ type: "a", n: 1 });
    const foreign = runInContext("({ type: 'a', list: [{ n: 1 }] })", createContext()) as LayerMessage;
    expect(plainMessage(foreign)).toEqual({ type: "a", list: [{ n: 1 }] });
  });

  test("freezes all of the copy and nothing of the original", () => {
    const message = { type: "a", list: [{ n: 1 }] };
    const copy = plainMessage(message) as unknown as typeof message;
    expect([copy, copy.list, copy.list[0]].every((part) => Object.isFrozen(part))).toBe(true);
    expect([message, message.list, message.list[0]].some((part) => Object.isFrozen(part))).toBe(false);
  });

  test("reads an accessor once and keeps its value", () => {
    let reads = 0;
    const copy = plainMessage({
      type: "a",
      get count() {
        return ++reads;
      },
    });
    expect([copy.count, copy.count, reads]).toEqual([1, 1, 1]);
  });
});
