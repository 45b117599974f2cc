import { describe, expect, test } from "vitest";
import { slopeOf } from "./linear-fit.js";
import type { ServerState } from "./server.js";
import { type Course, judge, type Sample } from "./verdict.js";

const mebibyte = 1024 * 1024;

function state(changes: Partial<ServerState> = {}): ServerState {
  return {
    heap: 10 * mebibyte,
    rss: 150 * mebibyte,
    connections: { http: 0, websocket: 0 },
    channels: 0,
    groups: 0,
    members: 0,
    failures: { planned: 7, unplanned: 0, examples: [] },
    ...changes,
  };
}

/** Samples ten seconds apart, of heaps in MiB. */
function samples(heaps: readonly number[]): Sample[] {
  return heaps.map((heap, index) => ({ at: index * 10, state: state({ heap: heap * mebibyte }) }));
}

const figures: Course["figures"] = {
  visits: { leaves: 900, cuts: 100 },
  messages: 5,
  lost: 0,
  errors: {},
  examples: [],
};

function faultsOf(changes: Partial<Course>): readonly string[] {
  return judge({
    transport: "uws",
    samples: samples([100, 100]),
    peak: 200 * mebibyte,
    rest: { before: state(), after: state() },
    figures,
    ...changes,
  }).faults;
}

const atRest = (after: Partial<ServerState>): Partial<Course> => ({ rest: { before: state(), after: state(after) } });

test("a run that left nothing is without fault", () => {
  expect(faultsOf({})).toEqual([]);
});

describe("under load", () => {
  test("a heap that goes up and down is flat, wherever it ends", () => {
    expect(faultsOf({ samples: samples([100, 108, 94, 103, 92, 107, 99, 108]) })).toEqual([]);
  });

  test("one that grows a little all the time is not", () => {
    const growing = samples(
      Array.from({ length: 60 }, (_, index) => 100 + index * 0.2 + (index % 4 === 1 || index % 4 === 2 ? 5 : 0)),
    );
    expect(faultsOf({ samples: growing })).toEqual([
      expect.stringMatching(
        /^The heap grew under a load that stayed the same, by 11\.8 MiB; up to 5\.4 MiB is noise\.$/,
      ),
    ]);
  });
});

describe("at rest", () => {
  test("growth within the noise is borne, and not a byte more", () => {
    expect(faultsOf(atRest({ heap: 14 * mebibyte, rss: 264 * mebibyte }))).toEqual([]);
    expect(faultsOf(atRest({ heap: 14 * mebibyte + 1 }))).toEqual([
      "The heap was larger after all clients had left than before, by 4.0 MiB; up to 4.0 MiB is noise.",
    ]);
    expect(faultsOf(atRest({ rss: 264 * mebibyte + 1 }))).toEqual([
      "With nobody there the process was larger than in the warm-up with everybody, by 64.0 MiB; up to 64.0 MiB is noise.",
    ]);
  });

  test("a figure that is none is a fault", () => {
    expect(faultsOf(atRest({ heap: Number.NaN }))).toHaveLength(1);
  });

  test.each([
    [{ connections: { http: 0, websocket: 1 } }, "the server counted 1 WebSockets and 0 requests"],
    [{ connections: { http: 2, websocket: 0 } }, "the server counted 0 WebSockets and 2 requests"],
    [{ members: 3, groups: 1 }, "the layer kept 3 group members, 0 channels and 1 groups"],
    [{ channels: 1 }, "the layer kept 0 group members, 1 channels and 0 groups"],
  ])("%j is left behind", (left, words) => {
    expect(faultsOf(atRest(left))).toEqual([`All clients had left, but ${words}.`]);
  });
});

describe("on the way", () => {
  test("an error that nobody planned is a fault", () => {
    const failures = { planned: 7, unplanned: 2, examples: ["the application failed: Error: really"] };
    expect(faultsOf(atRest({ failures }))).toEqual([
      "The server logged 2 errors that nobody had planned, such as: the application failed: Error: really",
    ]);
  });

  test("a visit that went wrong is a fault", () => {
    const wrong = { ...figures, errors: { cuts: 1, leaves: 2 }, examples: ["cuts: expected a 101"] };
    expect(faultsOf({ figures: wrong })).toEqual([
      '3 visits did not go as they should ({"cuts":1,"leaves":2}), such as cuts: expected a 101.',
    ]);
  });

  test("one WebSocket in a hundred may be lost right after its 101, on uWebSockets.js alone", () => {
    expect(faultsOf({ figures: { ...figures, lost: 10 } })).toEqual([]);
    expect(faultsOf({ figures: { ...figures, lost: 11 } })).toEqual(["11 WebSockets were lost right after their 101."]);
    expect(faultsOf({ transport: "node", figures: { ...figures, lost: 1 } })).toHaveLength(1);
  });
});

describe("the line that is nearest to points", () => {
  test("has the slope of those on a line", () => {
    expect(slopeOf([1, 2, 4].map((x) => ({ x, y: 7 - 2 * x })))).toBeCloseTo(-2, 10);
  });

  test("has the least squares", () => {
    expect(slopeOf([0, 1, 2, 3].map((x, index) => ({ x, y: [0, 2, 1, 3][index] ?? 0 })))).toBeCloseTo(0.8, 10);
  });

  test("is level for a single one, and for none", () => {
    expect([slopeOf([{ x: 1, y: 9 }]), slopeOf([])]).toEqual([0, 0]);
  });
});
