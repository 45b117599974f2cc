import { expect, test } from "vitest";
import type { Findings } from "./closures.js";
import { figuresOf, sentencesOf } from "./report.js";
import type { ServerState } from "./server.js";
import { type Course, judge } from "./verdict.js";

const findings: Findings = {
  ...{ revoked: 10, closed: 30, early: 12, late: 0, wrong: 0, strayed: 0 },
  fromAnswer: { p50: 0.5, p99: 2, highest: 3 },
  fromCall: { p50: 2.5, p99: 4, highest: 5 },
  elsewhere: { p50: 0.7, p99: 2, highest: 3 },
  examples: [],
};

const ended = { revoked: 0, expired: 0, logged_out: 0, password_changed: 0, disabled: 0 };
const before: ServerState = {
  leases: 10,
  counts: { inDoubt: 0, ended },
  connections: 10,
  failures: { unplanned: 0, examples: [] },
};
const after: ServerState = {
  ...before,
  leases: 0,
  counts: { inDoubt: 0, ended: { ...ended, logged_out: 10 } },
  connections: 0,
};

const good: Course = {
  layer: "redis",
  sockets: 30,
  bound: 250,
  findings,
  failures: [],
  seconds: 1.04,
  load: 1.25,
  before: [before, before, before],
  after: [after, after, after],
};

test("a run in which every socket is closed in time passes", () => {
  expect(judge(good)).toEqual([]);
  expect(sentencesOf(good, [])).toBe(
    "redis: all 30 sockets were closed, and none but those of the token; from the answer it took 0.5 ms, and 2 ms for all but one in a hundred; 12 were closed before it.\n",
  );
  expect(figuresOf(good, [])).toMatchObject({ ok: true, p50: 0.5, p99: 2, highest: 3, early: 12, leases: [0, 0, 0] });
});

test.each<[string, Partial<Findings>, string[]]>([
  [
    "a socket that stays open",
    { late: 1, closed: 29, examples: ["socket 2"] },
    [
      "1 sockets were not closed in time. Such as: socket 2.",
      "29 sockets were closed as they should be, where 30 were to be.",
    ],
  ],
  ["another close", { wrong: 1 }, ['1 sockets ended otherwise than by 4401 "logged_out".']],
  ["the end of another socket", { strayed: 1 }, ["1 sockets ended whose tokens had not been revoked."]],
  [
    "a p99 at the bound",
    { fromAnswer: { p50: 1, p99: 250, highest: 300 } },
    [
      "From the answer to the close frame it took 250 ms for all but one in a hundred, where it has to be under 250 ms; the load of the machine was 1.3.",
    ],
  ],
])("%s is a fault", (_, seen, faults) => {
  const course = { ...good, findings: { ...findings, ...seen } };
  expect(judge(course)).toEqual(faults);
  expect(sentencesOf(course, faults)).toBe(faults.map((fault) => `redis: ${fault}\n`).join(""));
});

test("a revocation that fails is a fault", () => {
  expect(judge({ ...good, failures: ["expected 204, got 500"] })).toEqual([
    "1 revocations failed, such as: expected 204, got 500",
  ]);
});

test.each<[string, Partial<ServerState>, string]>([
  ["a lease that is left", { leases: 1 }, "Server 0 has 1 leases left."],
  ["a connection that is left", { connections: 1 }, "Server 0 has 1 connections left."],
  [
    "another reason",
    { counts: { inDoubt: 0, ended } },
    'Server 0 ended 0 leases as "logged_out", where 10 were to be.',
  ],
  ["an error", { failures: { unplanned: 1, examples: ["oh"] } }, "Server 0 logged 1 errors, such as: oh"],
])("%s is a fault of a server", (_, seen, fault) => {
  expect(judge({ ...good, after: [{ ...after, ...seen }, after, after] })).toEqual([fault]);
});

test.each<[string, Partial<ServerState>, string]>([
  ["a socket without a lease", { leases: 9 }, "Server 0 had 9 leases for 10 sockets."],
  ["a lease in doubt", { counts: { inDoubt: 1, ended } }, "Server 0 did not hear itself on the layer."],
])("%s is one before anything is revoked", (_, seen, fault) => {
  expect(judge({ ...good, before: [{ ...before, ...seen }, before, before] })).toEqual([fault]);
});
