import { expect, it } from "vitest";
import type { Connection } from "./connection.js";
import { Subscriber } from "./subscriber.js";

it("asks for the lock of a process again when the first try has failed", async () => {
  const asked: string[] = [];
  const run = async (sql: string) => {
    asked.push(sql);
    if (asked.length === 1) throw new Error("out of shared memory");
    return [];
  };
  const subscriber = new Subscriber({ run } as Partial<Connection> as Connection, "test");
  await expect(subscriber.subscribe("process:one", true)).rejects.toThrow("out of shared memory");
  await subscriber.subscribe("process:one", true);
  await subscriber.subscribe("process:one", true);
  await subscriber.unsubscribe("process:one", true);
  expect(asked.map((sql) => /(?:un)?lock/.exec(sql)?.[0])).toEqual(["lock", "lock", undefined, "unlock"]);
});
