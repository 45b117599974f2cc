import { expect, it } from "vitest";
import { FakeClock } from "./fake-clock.js";

it("runs what falls due in its order, also what is added on the way, and nothing that was cancelled", async () => {
  const clock = new FakeClock(1_000);
  const ran: [string, number][] = [];
  const note = (name: string) => () => void ran.push([name, clock.now()]);
  clock.after(30, note("third"));
  clock.after(10, () => {
    note("first")();
    clock.after(10, note("second"));
  });
  clock.after(20, note("cancelled"))();
  clock.after(31, note("later"));
  await clock.advance(30);
  expect(ran).toEqual([
    ["first", 1_010],
    ["second", 1_020],
    ["third", 1_030],
  ]);
  expect([clock.now(), clock.pending]).toEqual([1_030, 1]);
});
