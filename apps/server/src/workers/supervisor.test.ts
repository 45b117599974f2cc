import { FakeClock, RecordingLogger } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { Supervisor, type WorkerListener } from "./supervisor.js";

/** A worker that does what a test tells it to. */
interface FakeWorker extends WorkerListener {
  readonly pid: number;
  readonly calls: string[];
}

function supervise(count: number) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const workers: FakeWorker[] = [];
  const listening: string[] = [];
  const system = { room: true };
  const supervisor = new Supervisor({
    count,
    clock,
    logger,
    onListening: (url) => listening.push(url),
    fork(listener) {
      if (!system.room) throw new Error("no room");
      const worker = { pid: workers.length + 1, calls: [] as string[], ready: listener.ready, exited: listener.exited };
      workers.push(worker);
      return { pid: worker.pid, stop: () => worker.calls.push("stop"), kill: () => worker.calls.push("kill") };
    },
  });
  const ended = supervisor.run();
  /** The worker that was started last. */
  const latest = (): FakeWorker => workers.at(-1) as FakeWorker;
  return Object.assign(system, { supervisor, clock, logger, workers, latest, listening, ended });
}

describe("Supervisor", () => {
  it("says once that all workers listen", async () => {
    const { workers, latest, listening, clock } = supervise(2);
    workers[0]?.ready("http://a");
    expect(listening).toEqual([]);
    workers[1]?.ready("http://a");
    expect(listening).toEqual(["http://a"]);
    latest().exited("SIGKILL");
    await clock.advance(100);
    latest().ready("http://a");
    expect(workers).toHaveLength(3);
    expect(listening).toEqual(["http://a"]);
  });

  it("waits twice as long each time before it replaces a worker, up to 30 s, until one has lived long", async () => {
    const { workers, latest, clock, logger } = supervise(1);
    const pauses = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
    for (const [index, pause] of pauses.entries()) {
      latest().ready("http://a");
      await clock.advance(9_999);
      latest().exited(1);
      await clock.advance(pause - 1);
      expect(workers).toHaveLength(index + 1);
      await clock.advance(1);
      expect(workers).toHaveLength(index + 2);
    }
    latest().ready("http://a");
    await clock.advance(10_000);
    latest().exited("SIGSEGV");
    await clock.advance(100);
    expect(workers).toHaveLength(pauses.length + 2);
    expect(logger.lines.at(-1)?.fields).toEqual({ worker: pauses.length + 1, cause: "SIGSEGV", ms: 100 });
  });

  it("gives up on a worker that does not start, five times in a row, and ends the others", async () => {
    const { workers, latest, clock, ended } = supervise(2);
    workers[0]?.ready("http://a");
    for (let attempt = 1; attempt < 5; attempt++) {
      latest().exited(1);
      await clock.advance(30_000);
    }
    latest().exited(1);
    await expect(ended).rejects.toThrow("a worker did not start, 5 times in a row");
    expect(workers[0]?.calls).toEqual(["kill"]);
    await clock.advance(60_000);
    expect(workers).toHaveLength(6);
  });

  it("does not give up once all have served: what still serves stays", async () => {
    const { workers, latest, clock, logger } = supervise(2);
    for (const worker of workers) worker.ready("http://a");
    await clock.advance(3_600_000);
    for (let attempt = 0; attempt < 20; attempt++) {
      latest().exited(1);
      await clock.advance(30_000);
    }
    expect(workers).toHaveLength(22);
    expect(workers[0]?.calls).toEqual([]);
    expect(logger.lines.at(-1)?.fields).toEqual({ worker: 21, cause: 1, ms: 30_000 });
  });

  it("ends a worker that does not get to serve in 30 s, and counts it as one that did not start", async () => {
    const { workers, latest, clock, logger, ended } = supervise(1);
    for (const pause of [100, 200, 400, 800]) {
      await clock.advance(29_999);
      expect(latest().calls).toEqual([]);
      await clock.advance(1);
      expect(latest().calls).toEqual(["kill"]);
      latest().exited("SIGKILL");
      expect(logger.lines.at(-1)?.fields).toEqual({ worker: workers.length, cause: "SIGKILL", ms: pause });
      await clock.advance(pause);
    }
    await clock.advance(30_000);
    latest().exited("SIGKILL");
    await expect(ended).rejects.toThrow("a worker did not start, 5 times in a row");
    expect(clock.pending).toBe(0);
  });

  it("tries again where the system starts no process", async () => {
    const supervised = supervise(1);
    const { workers, latest, clock, logger } = supervised;
    latest().ready("http://a");
    supervised.room = false;
    latest().exited("SIGKILL");
    await clock.advance(100);
    expect(logger.lines.at(-1)?.fields).toEqual({ worker: undefined, cause: "no room", ms: 200 });
    supervised.room = true;
    await clock.advance(200);
    expect(workers).toHaveLength(2);
  });

  it("does not count starts that failed before one that did not", async () => {
    const { workers, latest, clock } = supervise(1);
    for (let attempt = 0; attempt < 20; attempt++) {
      if (attempt % 4 === 3) latest().ready("http://a");
      latest().exited(1);
      await clock.advance(30_000);
    }
    expect(workers).toHaveLength(21);
  });

  it("stops all workers, and is done when they are", async () => {
    const { supervisor, workers, clock, ended } = supervise(2);
    for (const worker of workers) worker.ready("http://a");
    supervisor.stop(1_000);
    expect(workers.map(({ calls }) => calls)).toEqual([["stop"], ["stop"]]);
    workers[0]?.exited(0);
    await clock.advance(999);
    expect(workers[1]?.calls).toEqual(["stop"]);
    await clock.advance(1);
    expect(workers[1]?.calls).toEqual(["stop", "kill"]);
    expect(workers[0]?.calls).toEqual(["stop"]);
    workers[1]?.exited("SIGKILL");
    await ended;
    expect(workers).toHaveLength(2);
    // What waits would keep the process alive.
    expect(clock.pending).toBe(0);
  });

  it("starts nothing more when it is stopped while it waits", async () => {
    const { supervisor, workers, latest, clock, ended } = supervise(1);
    latest().ready("http://a");
    latest().exited(1);
    supervisor.stop(1_000);
    await ended;
    expect(clock.pending).toBe(0);
    expect(workers).toHaveLength(1);
  });
});
