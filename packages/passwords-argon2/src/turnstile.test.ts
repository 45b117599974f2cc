import { expect, test } from "vitest";
import { Turnstile } from "./turnstile.js";

/** A task that runs until it is told to end. */
function task(name: string, running: string[]) {
  let end = () => {};
  let fail = () => {};
  const ended = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = () => reject(new Error(name));
  });
  const run = () => {
    running.push(name);
    return ended;
  };
  return { run, end, fail };
}

test("lets in as many as it is wide, and the others in order", async () => {
  const turnstile = new Turnstile(2);
  const running: string[] = [];
  const [a, b, c, d] = [task("a", running), task("b", running), task("c", running), task("d", running)];
  const results = [a, b, c, d].map(({ run }) => turnstile.run(run));
  await Promise.resolve();
  expect(running).toEqual(["a", "b"]);

  b.end();
  await expect(results[1]).resolves.toBe("b");
  expect(running).toEqual(["a", "b", "c"]);

  c.end();
  await results[2];
  expect(running).toEqual(["a", "b", "c", "d"]);
  a.end();
  d.end();
  await Promise.all(results);
});

test("lets the next one in after a failure, and hands the failure on", async () => {
  const turnstile = new Turnstile(1);
  const running: string[] = [];
  const [a, b] = [task("a", running), task("b", running)];
  const first = turnstile.run(a.run);
  const second = turnstile.run(b.run);
  a.fail();
  await expect(first).rejects.toThrow("a");
  b.end();
  await expect(second).resolves.toBe("b");
});

test("stays as wide as it was when everybody has gone", async () => {
  const turnstile = new Turnstile(2);
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => turnstile.run(async () => name)));
  const running: string[] = [];
  const tasks = [task("a", running), task("b", running), task("c", running)];
  const results = tasks.map(({ run }) => turnstile.run(run));
  await Promise.resolve();
  expect(running).toEqual(["a", "b"]);
  for (const { end } of tasks) end();
  await Promise.all(results);
});
