import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { inMemory } from "./counter.js";
import { FailureDelay } from "./failure-delay.js";
import { FailureLimit } from "./failure-limit.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const failures = () => inMemory("failures", 1000);

it.each([
  ["limit", () => new FailureLimit(failures(), 1)],
  ["delay", () => new FailureDelay({ failures: failures(), pauses: inMemory("pauses", 1000), from: 1, longest: 1000 })],
])("a %s lets one of many pass that come at a time, and keeps no count of the others", async (_, make) => {
  const hurdles = make();
  const many = Array.from({ length: 20 }, () => hurdles.of("key"));
  const waits = await Promise.all(many.map((hurdle) => hurdle.take()));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(1);
  await many[waits.indexOf(0)]?.giveBack();
  expect(await hurdles.of("key").take()).toBe(0);
  expect(await hurdles.of("key").take()).toBeGreaterThan(0);
});

it("a delay is a second after what came at a time has been taken back", async () => {
  const pauses = inMemory("pauses", 1000);
  const delay = new FailureDelay({ failures: failures(), pauses, from: 1, longest: 1000 });
  const many = Array.from({ length: 20 }, () => delay.of("key"));
  const waits = await Promise.all(many.map((hurdle) => hurdle.take()));
  await many[waits.indexOf(0)]?.giveBack();
  await delay.of("key").take();
  expect(await pauses.get("key")).toMatchObject({ consumedPoints: 1 });
  expect((await pauses.get("key"))?.msBeforeNext).toBeLessThanOrEqual(1000);
});
