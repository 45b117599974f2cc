import { beforeEach, describe, expect, test } from "vitest";
import type { LayerMessage } from "../ports/channel-layer.js";
import { Mailbox } from "./mailbox.js";

// What every channel promises is tested by the contract suite of @sluice/testing.

const expiry = 1_000;
let now = 0;
beforeEach(() => {
  now = 0;
});

function open(capacity: number, gaps = true): Mailbox {
  const office = { clock: { now: () => now, after: () => () => {} }, forget: () => {} };
  return new Mailbox("mine", { capacity, gaps }, office);
}

function put(mailbox: Mailbox, type: string): boolean {
  return mailbox.put({ message: { type }, sentAt: now, expiresAt: now + expiry });
}

/** What is in it, in short. */
async function contents(mailbox: Mailbox): Promise<string[]> {
  const all: string[] = [];
  const piped = mailbox.pipe(({ type, reason, since }: LayerMessage) => {
    all.push(type === "layer.gap" ? `${String(reason)} since ${String(since)}` : type);
  });
  await mailbox.close();
  await piped;
  return all;
}

describe("the mark of a gap", () => {
  test("stands behind what fitted in, since the first that did not", async () => {
    const mailbox = open(2);
    for (now = 1; now <= 5; now++) put(mailbox, `${now}`);
    expect(await contents(mailbox)).toEqual(["1", "2", "full since 3"]);
  });

  test("takes no room from messages", async () => {
    const mailbox = open(1);
    put(mailbox, "a");
    expect(put(mailbox, "lost")).toBe(false);
    expect(await mailbox.receive()).toEqual({ type: "a" });
    expect(put(mailbox, "b")).toBe(true);
    expect(put(mailbox, "lost")).toBe(false);
    expect(await contents(mailbox)).toEqual(["full since 0", "b", "full since 0"]);
  });

  test("makes room again only where a message went", async () => {
    const mailbox = open(1);
    mailbox.noteGap("unavailable", 0);
    put(mailbox, "a");
    expect(await mailbox.receive()).toMatchObject({ type: "layer.gap" });
    expect(put(mailbox, "lost")).toBe(false);
    mailbox.empty();
    expect(put(mailbox, "b")).toBe(true);
    expect(await contents(mailbox)).toEqual(["b"]);
  });

  test.each([
    ["the first of all that are lost in one place, which is", 5, "unavailable since 3"],
    ["the earlier reason, not", 2, "full since 2"],
  ])("speaks of %s the one told of first", async (_name, fullSince, expected) => {
    const mailbox = open(1);
    put(mailbox, "a");
    now = fullSince;
    put(mailbox, "lost");
    mailbox.noteGap("unavailable", 3);
    mailbox.noteGap("unavailable", 7);
    expect(await contents(mailbox)).toEqual(["a", expected]);
  });

  test("stands where messages have expired, since the first of them was sent", async () => {
    const mailbox = open(5);
    for (const type of ["a", "b", "c"]) {
      now += 100;
      put(mailbox, type);
    }
    now = 200 + expiry;
    expect(await contents(mailbox)).toEqual(["expired since 100", "c"]);
  });

  test("stands where a single message has expired", async () => {
    const mailbox = open(5);
    now = 7;
    put(mailbox, "a");
    now += expiry;
    expect(await contents(mailbox)).toEqual(["expired since 7"]);
  });

  test("stands in front of what found room because others had expired", async () => {
    const mailbox = open(1);
    put(mailbox, "a");
    now = expiry;
    expect(put(mailbox, "b")).toBe(true);
    expect(put(mailbox, "lost")).toBe(false);
    expect(await contents(mailbox)).toEqual(["expired since 0", "b", `full since ${expiry}`]);
  });

  test("is one for what has expired and the marks between", async () => {
    const mailbox = open(3);
    mailbox.noteGap("unavailable", 5);
    now = 10;
    put(mailbox, "a");
    mailbox.noteGap("unavailable", 20);
    put(mailbox, "b");
    mailbox.noteGap("unavailable", 30);
    now = 500;
    put(mailbox, "c");
    now = 10 + expiry;
    expect([put(mailbox, "d"), put(mailbox, "e"), put(mailbox, "lost")]).toEqual([true, true, false]);
    expect(await contents(mailbox)).toEqual(["unavailable since 5", "c", "d", "e", `full since ${now}`]);
  });

  test("speaks of what is missing for longest, also behind what has expired", async () => {
    const mailbox = open(3);
    now = 10;
    put(mailbox, "a");
    mailbox.noteGap("unavailable", 5);
    now += expiry;
    expect(await contents(mailbox)).toEqual(["unavailable since 5"]);
  });

  test("never expires", async () => {
    const mailbox = open(1);
    mailbox.noteGap("unavailable", 5);
    now = 1_000 * expiry;
    expect(await contents(mailbox)).toEqual(["unavailable since 5"]);
  });

  test("is bounded by the messages between", async () => {
    const mailbox = open(3);
    for (now = 0; now < 100; now++) {
      put(mailbox, `${now}`);
      mailbox.noteGap("unavailable", now);
    }
    expect(await contents(mailbox)).toHaveLength(6);
  });

  test("is frozen", async () => {
    const mailbox = open(1);
    mailbox.noteGap("unavailable", 5);
    expect(Object.isFrozen(await mailbox.receive())).toBe(true);
  });

  test("is not made for who has not asked for it", async () => {
    const mailbox = open(1, false);
    put(mailbox, "a");
    put(mailbox, "lost");
    mailbox.noteGap("unavailable", 0);
    now = expiry;
    put(mailbox, "b");
    expect(await contents(mailbox)).toEqual(["b"]);
  });
});
