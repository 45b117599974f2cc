import { get } from "node:http";
import { now, pause } from "../measure/now.js";
import { rounded } from "../measure/percentile.js";
import { healthPath } from "./words.js";

/** How a server's HTTP route answered. */
export interface Health {
  readonly asked: number;
  readonly failed: number;
  /** The slowest answer, in milliseconds. */
  readonly slowest: number;
}

/** Milliseconds between two requests to each server, and after which one has failed. */
const every = 200;
const timeLimit = 5_000;

/** Asks every server until `work` is over. Resolves with what that resolved with, too. */
export async function whileAsking<Value>(
  ports: readonly number[],
  work: Promise<Value>,
): Promise<{ readonly value: Value; readonly health: Health }> {
  let over = false;
  const durations: number[] = [];
  let failed = 0;
  const asking = ports.map(async (port) => {
    while (!over) {
      const began = now();
      if (await answers(port)) durations.push(now() - began);
      else failed++;
      await pause(every);
    }
  });
  try {
    const value = await work;
    over = true;
    await Promise.all(asking);
    return { value, health: { asked: durations.length + failed, failed, slowest: rounded(Math.max(...durations)) } };
  } finally {
    over = true;
  }
}

/** On a connection of its own: a client that comes now is to be served, too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path: healthPath, agent: false, timeout: timeLimit }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
      response.once("error", () => resolve(false));
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
    // A request that is cut off in the middle ends neither way.
    request.once("close", () => resolve(false));
  });
}
