import { expect, test } from "vitest";
import type { Closing } from "../checks/raw-web-socket.js";
import { Closures, holders, patience } from "./closures.js";

const closing = (at: number, more: Partial<Closing> = {}): Closing => ({
  code: 4401,
  reason: "logged_out",
  how: "4401",
  at,
  ...more,
});

/** Two tokens on three servers: sockets 0 to 2 and 3 to 5. */
const two = (): Closures => new Closures(holders(6, 3));

test("each token has a socket on each server", () => {
  expect(holders(6, 3).map(({ token, server }) => [token, server])).toEqual([
    ...[0, 1, 2].map((server) => [0, server]),
    ...[0, 1, 2].map((server) => [1, server]),
  ]);
});

test("the time runs from the answer, and from the call", () => {
  const closures = two();
  closures.called(0, 0, 100);
  closures.closed(0, closing(101));
  closures.answered(0, 110);
  closures.closed(1, closing(112));
  closures.closed(2, closing(120));
  expect(closures.size).toBe(3);
  expect(closures.findings()).toEqual({
    ...{ revoked: 1, closed: 3, early: 1, late: 0, wrong: 0, strayed: 0 },
    fromAnswer: { p50: 2, p99: 10, highest: 10 },
    fromCall: { p50: 12, p99: 20, highest: 20 },
    elsewhere: { p50: 2, p99: 10, highest: 10 },
    examples: [],
  });
});

test("a socket that stays open is late, and so is one that is closed after the patience", () => {
  const closures = two();
  closures.called(0, 0, 100);
  closures.answered(0, 110);
  closures.closed(0, closing(110 + patience));
  closures.closed(1, closing(110.6 + patience));
  expect(closures.findings()).toMatchObject({
    ...{ closed: 2, late: 2, wrong: 0, strayed: 0 },
    examples: [
      "socket 1 of token 0 on server 1 was closed after 5001 ms",
      "socket 2 of token 0 on server 2 was not closed",
    ],
  });
});

test("a socket of another token that closes has strayed, and so has one that closes before the call", () => {
  const closures = two();
  closures.closed(3, closing(90));
  closures.closed(0, closing(99));
  closures.called(0, 0, 100);
  expect(closures.findings()).toMatchObject({
    ...{ revoked: 0, closed: 0, strayed: 2, late: 0 },
    examples: ["socket 0 of token 0 on server 0 ended: 4401", "socket 3 of token 1 on server 0 ended: 4401"],
  });
});

test.each<[string, Partial<Closing>, string]>([
  ["another code", { code: 1012, how: "1012" }, "1012 logged_out"],
  ["another reason", { reason: "revoked" }, "4401 revoked"],
  ["no close frame", { code: undefined, reason: "", how: "without a close frame" }, "without a close frame"],
])("an end with %s is wrong", (_, more, told) => {
  const closures = two();
  closures.called(0, 0, 100);
  closures.answered(0, 110);
  for (const socket of [0, 1]) closures.closed(socket, closing(111));
  closures.closed(2, closing(112, more));
  expect(closures.findings()).toMatchObject({
    ...{ closed: 2, wrong: 1, late: 0 },
    examples: [`socket 2 of token 0 on server 2 ended: ${told}`],
  });
});
