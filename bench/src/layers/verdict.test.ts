import { describe, expect, test } from "vitest";
import type { Disturbance } from "./disturbance.js";
import type { Findings } from "./findings.js";
import type { ServerState } from "./server.js";
import { type Course, judge } from "./verdict.js";

const mebibyte = 1024 * 1024;

const findings: Findings = {
  said: 201,
  confirmed: 201,
  rejected: 0,
  hung: 0,
  deliveries: 6_030,
  lost: 0,
  reported: 0,
  reportedLate: 0,
  twice: 0,
  disordered: 0,
  strayed: 0,
  heardThoughRejected: 0,
  gaps: { unavailable: 0, full: 0, expired: 0 },
  rejections: [],
  examples: [],
};

const state: ServerState = {
  heap: 20 * mebibyte,
  rss: 100 * mebibyte,
  connections: 201,
  dropped: 100,
  failures: { unplanned: 0, examples: [] },
};

const calm: Course = {
  layer: "redis",
  publishes: 201,
  findings,
  latency: { p50: 1, p99: 2, highest: 3 },
  seconds: 1,
  load: 1.25,
  ends: [],
  before: [state],
  after: [state],
  stuckAreFull: [true],
  disturbances: [],
};

const kill: Disturbance = {
  kind: "kill",
  from: 10_000,
  until: 12_100,
  resumed: { first: 100, last: 2_000 },
  health: { asked: 30, failed: 0, slowest: 40 },
  largest: 110 * mebibyte,
};

const disturbed: Course = {
  ...calm,
  disturbances: [kill],
  findings: {
    ...findings,
    said: 301,
    rejected: 100,
    reported: 60,
    gaps: { unavailable: 600, full: 0, expired: 0 },
    rejections: [{ began: 10_010, ended: 12_010 }],
  },
};

const told = (course: Course, seen: Partial<Findings>): string[] =>
  judge({ ...course, findings: { ...course.findings, ...seen } });

test("a run in which everything arrives passes", () => {
  expect(judge(calm)).toEqual([]);
});

test("so does one without the layer's server for a while, in which gaps told of all that was missed", () => {
  expect(judge(disturbed)).toEqual([]);
});

describe.each([
  ["a calm run", calm],
  ["a disturbed run", disturbed],
])("in %s", (_, course) => {
  test.each<[string, Partial<Findings>, string]>([
    [
      "a loss",
      { lost: 1, examples: ["socket 6"] },
      "1 deliveries were lost, and no gap was told of. Such as: socket 6.",
    ],
    ["a duplicate", { twice: 1 }, "1 messages came twice."],
    ["a disorder", { disordered: 1 }, "1 messages came after what their sender had said later."],
    ["a stray", { strayed: 1 }, "1 messages came that nobody had said in the group."],
    ["a publish that hangs", { hung: 1 }, "Of 1 publishes nobody knows what became of them."],
    [
      "a neighbour that is dropped",
      { gaps: { ...course.findings.gaps, full: 2 } },
      "2 channels of members that read were full, and 0 let messages expire.",
    ],
  ])("%s is a fault", (_what, seen, fault) => {
    expect(told(course, seen)).toEqual([fault]);
  });

  test("a connection that ends is a fault", () => {
    expect(judge({ ...course, ends: ["socket 1 on server 0 ended: 1011"] })).toEqual([
      "A connection did not stay: socket 1 on server 0 ended: 1011.",
    ]);
  });

  test.each<[string, Partial<ServerState>, string]>([
    ["errors", { failures: { unplanned: 1, examples: ["oh"] } }, "Server 0 logged 1 errors, such as: oh"],
    ["a heap", { heap: 29 * mebibyte }, "The heap of server 0 grew by 9.0 MiB; up to 8.0 MiB is noise."],
    ["a process", { rss: 197 * mebibyte }, "Server 0 grew by 97.0 MiB of RSS; up to 96.0 MiB is noise."],
    ["no drops", { dropped: 0 }, "Server 0 dropped 0 messages for its consumer that never reads"],
    ["drops of others", { dropped: 202 }, "Server 0 dropped 202 messages for its consumer that never reads"],
  ])("a server with %s too many is a fault", (_what, seen, fault) => {
    expect(judge({ ...course, after: [{ ...state, ...seen }] })).toEqual([expect.stringContaining(fault)]);
  });

  test("a consumer that never reads and is not full is a fault", () => {
    expect(judge({ ...course, stuckAreFull: [false] })).toEqual([
      expect.stringContaining("did not reject with ChannelFull"),
    ]);
  });

  test("too few publishes are a fault", () => {
    expect(judge({ ...course, publishes: 202 })).toEqual(["201 publishes were confirmed, where 202 were to be."]);
  });
});

test("in a calm run nothing may be rejected, and no gap be told", () => {
  expect(told(calm, { rejected: 1 })).toEqual([
    "1 publishes were rejected though nothing had happened to the layer's server.",
  ]);
  expect(told(calm, { reported: 3, gaps: { unavailable: 2, full: 0, expired: 0 } })).toEqual([
    "2 gaps and 3 losses though nothing had happened to the layer's server.",
  ]);
});

test.each<[string, Partial<Disturbance>, string]>([
  ["a delivery that does not resume", { resumed: undefined }, "After the kill delivery did not resume."],
  [
    "one that resumes late",
    { resumed: { first: 100, last: 2_001 } },
    "After the kill it took 2001 ms until all servers heard all servers, where 2000 are allowed; the load of the machine was 1.3.",
  ],
  ["an answer that fails", { health: { ...kill.health, failed: 1 } }, "1 of 30 failed, the slowest took 40 ms;"],
  ["one that is slow", { health: { ...kill.health, slowest: 2_001 } }, "0 of 30 failed, the slowest took 2001 ms;"],
  ["memory", { largest: 200 * mebibyte }, "Server 0 grew by 100.0 MiB of RSS"],
])("%s is a fault of the layer's absence", (_, seen, fault) => {
  expect(judge({ ...disturbed, disturbances: [{ ...kill, ...seen }] })).toEqual([expect.stringContaining(fault)]);
});

test("a rejection that takes long is one, and so is an absence that rejects nothing", () => {
  expect(told(disturbed, { rejections: [{ began: 10_000, ended: 13_001 }] })).toEqual([
    "A publish was rejected after 3001 ms only, where 3000 are allowed; the load of the machine was 1.3.",
  ]);
  expect(told(disturbed, { rejections: [] })).toEqual([
    "After the kill no publish was rejected: was the server away at all?",
  ]);
});
