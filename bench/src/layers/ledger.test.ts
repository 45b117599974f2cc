import { describe, expect, test } from "vitest";
import { Ledger } from "./ledger.js";
import { seating } from "./seating.js";
import type { Answered } from "./words.js";

/** Two groups of four on two servers: 0, 2, 4 and 6 are the first, of which 0 and 2 speak and 2 and 6 are on server 1. */
const hall = { sockets: 8, groups: 2, servers: 2 };
const group = [0, 2, 4, 6];

function ledgerOf(said: number): Ledger {
  const ledger = new Ledger(seating(hall));
  for (let number = 0; number < said; number++) {
    expect(ledger.say(0)).toBe(number);
    ledger.answered(0, answer(number));
  }
  return ledger;
}

/** Each is published in the second that its number says. */
function answer(number: number, done = true): Answered {
  return { kind: "answered", number, done, began: number * 1_000, ended: number * 1_000 + 10 };
}

function hear(ledger: Ledger, socket: number, ...numbers: number[]): void {
  for (const number of numbers) {
    const at = number * 1_000;
    ledger.heard(socket, { kind: "heard", sender: 0, number, at }, at + socket);
  }
}

const fine = { hung: 0, lost: 0, reported: 0, twice: 0, disordered: 0, strayed: 0, examples: [] };

test("a run in which everybody hears everything once and in order", () => {
  const ledger = ledgerOf(3);
  for (const socket of group) hear(ledger, socket, 0, 1, 2);
  expect(ledger.findings()).toMatchObject({ ...fine, said: 3, confirmed: 3, rejected: 0, deliveries: 12 });
});

test("only what crosses from one server to another is timed", () => {
  const ledger = ledgerOf(1);
  for (const socket of group) hear(ledger, socket, 0);
  expect(ledger.latencies).toEqual([2, 6]);
});

describe("what goes wrong", () => {
  test("a loss is found", () => {
    const ledger = ledgerOf(3);
    for (const socket of group) hear(ledger, socket, ...(socket === 6 ? [0, 2] : [0, 1, 2]));
    expect(ledger.findings()).toMatchObject({ ...fine, deliveries: 11, lost: 1, examples: [expect.any(String)] });
    expect(ledger.findings().examples).toEqual(["socket 6 did not hear 1 of 0"]);
  });

  test("a duplicate is found, also of the last", () => {
    const ledger = ledgerOf(2);
    for (const socket of group) hear(ledger, socket, 0, 1);
    hear(ledger, 4, 1);
    const examples = ["socket 4 heard 1 of 0 twice"];
    expect(ledger.findings()).toMatchObject({ ...fine, deliveries: 8, twice: 1, examples });
  });

  test("a disorder is found", () => {
    const ledger = ledgerOf(3);
    for (const socket of group) hear(ledger, socket, ...(socket === 2 ? [0, 2, 1] : [0, 1, 2]));
    const examples = ["socket 2 heard 1 of 0 after 2"];
    expect(ledger.findings()).toMatchObject({ ...fine, deliveries: 12, disordered: 1, examples });
  });

  test("what was said in another group, or not at all, is found", () => {
    const ledger = ledgerOf(1);
    for (const socket of group) hear(ledger, socket, 0);
    hear(ledger, 1, 0);
    hear(ledger, 4, 1);
    expect(ledger.findings()).toMatchObject({ deliveries: 4, strayed: 2 });
  });

  test("a publish of which nobody hears again has hung", () => {
    const ledger = ledgerOf(0);
    ledger.say(0);
    expect(ledger.findings()).toMatchObject({ said: 1, confirmed: 0, hung: 1, lost: 0 });
  });

  test("a second answer is refused", () => {
    const ledger = ledgerOf(1);
    expect(() => ledger.answered(0, answer(0))).toThrow("expected one answer for each thing that 0 has said");
  });
});

test("nobody need hear what was rejected, and who does is counted", () => {
  const ledger = ledgerOf(0);
  ledger.say(0);
  ledger.answered(0, answer(0, false));
  hear(ledger, 4, 0);
  expect(ledger.findings()).toMatchObject({ ...fine, rejected: 1, deliveries: 0, heardThoughRejected: 1 });
  expect(ledger.findings().rejections).toEqual([{ began: 0, ended: 10 }]);
});

describe("a gap", () => {
  /** Socket 6 misses 1, and is told of a gap from `since` to `arrival` when it has heard the numbers before. */
  function missing(since: number, arrival: number, before: number[], after: number[]): Ledger {
    const ledger = ledgerOf(3);
    for (const socket of [0, 2, 4]) hear(ledger, socket, 0, 1, 2);
    hear(ledger, 6, ...before);
    ledger.gap(6, { kind: "gap", reason: "unavailable", since }, arrival);
    hear(ledger, 6, ...after);
    return ledger;
  }

  test("reports what is missing in its time", () => {
    const findings = missing(900, 1_900, [0], [2]).findings();
    expect(findings).toMatchObject({ ...fine, deliveries: 11, reported: 1, reportedLate: 0 });
    expect(findings.gaps).toEqual({ unavailable: 1, full: 0, expired: 0 });
  });

  test("that comes after what was said later is late", () => {
    expect(missing(900, 2_500, [0, 2], []).findings()).toMatchObject({ ...fine, reported: 1, reportedLate: 1 });
  });

  test.each([
    ["before", 0, 900],
    ["after", 1_200, 1_900],
  ])("of a time %s it says nothing about it", (_, since, arrival) => {
    expect(missing(since, arrival, [0], [2]).findings()).toMatchObject({ lost: 1, reported: 0 });
  });

  test("of another socket says nothing about it", () => {
    const ledger = ledgerOf(1);
    for (const socket of [0, 2, 4]) hear(ledger, socket, 0);
    ledger.gap(4, { kind: "gap", reason: "unavailable", since: -1 }, 900);
    expect(ledger.findings()).toMatchObject({ lost: 1, reported: 0 });
  });
});
