import { FakeClock } from "@sluice/testing";
import { describe, expect, it } from "vitest";
import { type Beating, Heartbeat } from "./heartbeat.js";

class Connection implements Beating {
  bytesRead = 0;
  isPaused = false;
  readonly log: string[] = [];
  readonly #clock: FakeClock;
  readonly #since: number;

  constructor(clock: FakeClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  ping(): void {
    this.log.push(`ping ${this.#clock.now() - this.#since}`);
  }

  cut(): void {
    this.log.push(`cut ${this.#clock.now() - this.#since}`);
  }
}

function start(idleTimeout: number): { clock: FakeClock; heartbeat: Heartbeat; connection: Connection } {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat(clock, idleTimeout);
  const connection = new Connection(clock);
  heartbeat.add(connection);
  return { clock, heartbeat, connection };
}

describe("a client that is silent", () => {
  it.each([
    [8, 4_000],
    [15, 11_000],
    [16, 8_000],
    [32, 16_000],
    [64, 48_000],
    [120, 104_000],
    [960, 944_000],
  ])("for %i seconds is pinged once in between, and cut", async (idleTimeout, pingAt) => {
    const { clock, connection } = start(idleTimeout);
    await clock.advance(idleTimeout * 1_000);
    expect(connection.log).toEqual([`ping ${pingAt}`, `cut ${idleTimeout * 1_000}`]);
  });

  it("and answers the ping stays, and is pinged again", async () => {
    const { clock, connection } = start(8);
    await clock.advance(5_500);
    connection.bytesRead += 2;
    await clock.advance(5_000);
    expect(connection.log).toEqual(["ping 4000", "ping 10000"]);
  });

  it("is left alone for 0 seconds, and no timer runs", async () => {
    const { clock, connection } = start(0);
    expect(clock.pending).toBe(0);
    await clock.advance(1_000_000);
    expect(connection.log).toEqual([]);
  });
});

it("does not take silence for the client's where nothing is read", async () => {
  const { clock, connection } = start(8);
  connection.isPaused = true;
  await clock.advance(100_000);
  expect(connection.log).toEqual([]);
  connection.isPaused = false;
  await clock.advance(8_000);
  expect(connection.log).toEqual(["ping 104000", "cut 108000"]);
});

it("has one timer for all connections, and none without any", async () => {
  const { clock, heartbeat, connection } = start(8);
  const others = Array.from({ length: 10 }, () => new Connection(clock));
  for (const other of others) heartbeat.add(other);
  expect(clock.pending).toBe(1);
  await clock.advance(3_500);
  expect(clock.pending).toBe(1);
  for (const each of [connection, ...others]) heartbeat.delete(each);
  expect(clock.pending).toBe(0);
  heartbeat.add(connection);
  expect(clock.pending).toBe(1);
});

it("has one timer where a connection comes as the last one is cut", async () => {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat(clock, 8);
  const next = new Connection(clock);
  const last: Beating = {
    bytesRead: 0,
    isPaused: false,
    ping: () => {},
    cut() {
      heartbeat.delete(last);
      heartbeat.add(next);
    },
  };
  heartbeat.add(last);
  await clock.advance(8_000);
  expect(clock.pending).toBe(1);
  heartbeat.delete(next);
  expect(clock.pending).toBe(0);
});
