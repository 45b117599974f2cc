import { FakeClock } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { longestTimer } from "../ports/clock.js";
import { Alarm, Schedule } from "./schedule.js";

function world() {
  const clock = new FakeClock(0);
  const schedule = new Schedule(clock);
  const rung: string[] = [];
  const alarm = (name: string) => new Alarm(() => rung.push(`${name}@${clock.now()}`));
  return { clock, schedule, rung, alarm };
}

describe("a schedule", () => {
  test("does its tasks at their times, in order, with one timer", async () => {
    const { clock, schedule, rung, alarm } = world();
    for (const at of [30, 10, 20, 10]) schedule.set(alarm(`${at}`), at);
    expect(clock.pending).toBe(1);
    await clock.advance(9);
    expect(rung).toEqual([]);
    await clock.advance(100);
    expect(rung).toEqual(["10@10", "10@10", "20@20", "30@30"]);
    expect([schedule.size, clock.pending]).toEqual([0, 0]);
  });

  test("knows tasks that change their time, leave, or come late", async () => {
    const { clock, schedule, rung, alarm } = world();
    const [moved, gone, late, never] = [alarm("moved"), alarm("gone"), alarm("late"), alarm("never")];
    schedule.set(moved, 10);
    schedule.set(gone, 20);
    schedule.set(never, 30);
    schedule.set(moved, 50);
    schedule.remove(gone);
    schedule.remove(gone);
    schedule.set(never, Number.POSITIVE_INFINITY);
    await clock.advance(40);
    schedule.set(late, 5);
    expect(rung).toEqual([]);
    await clock.advance(10);
    expect(rung).toEqual(["late@40", "moved@50"]);
    expect(clock.pending).toBe(0);
  });

  test("lets a task set and remove others", async () => {
    const { clock, schedule, rung, alarm } = world();
    const other = alarm("other");
    const victim = alarm("victim");
    schedule.set(victim, 10);
    schedule.set(
      new Alarm(() => {
        schedule.set(other, clock.now());
        schedule.remove(victim);
      }),
      5,
    );
    await clock.advance(20);
    expect(rung).toEqual(["other@5"]);
  });

  test("waits for longer than a timer can", async () => {
    const { clock, schedule, rung, alarm } = world();
    const waits: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, task) => {
      waits.push(ms);
      return after(ms, task);
    };
    const year = 365 * 86_400_000;
    schedule.set(alarm("far"), year);
    schedule.set(alarm("never in our time"), Number.MAX_SAFE_INTEGER);
    await clock.advance(year);
    expect(rung).toEqual([`far@${year}`]);
    expect(Math.max(...waits)).toBe(longestTimer);
    schedule.clear();
    expect([schedule.size, clock.pending]).toEqual([0, 0]);
  });

  test("never misses one, whatever is set and removed", async () => {
    const step = fc.record({ task: fc.nat(15), at: fc.option(fc.nat(100), { nil: undefined }), wait: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, schedule, rung, alarm } = world();
        const tasks = Array.from({ length: 16 }, (_, each) => alarm(`${each}`));
        const expected = new Map<number, number>();
        for (const { task, at, wait } of steps) {
          if (at === undefined) {
            expected.delete(task);
            schedule.remove(tasks[task] as Alarm);
          } else {
            expected.set(task, Math.max(at, clock.now()));
            schedule.set(tasks[task] as Alarm, at);
          }
          expect(clock.pending).toBe(expected.size > 0 ? 1 : 0);
          rung.length = 0;
          await clock.advance(wait);
          const due = [...expected].filter(([, time]) => time <= clock.now());
          for (const [each] of due) expected.delete(each);
          expect(rung.sort()).toEqual(due.map(([each, time]) => `${each}@${time}`).sort());
          expect(schedule.size).toBe(expected.size);
        }
      }),
      { numRuns: 50 },
    );
  });
});
