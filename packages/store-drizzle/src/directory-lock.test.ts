import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DirectoryInUse, type DirectoryLock, lockDirectory } from "./directory-lock.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Starts a process that listens on a Unix socket of that name in the directory, and waits until it does. */
async function listener(name: string) {
  const script = `require("net").createServer().listen(process.argv[1], () => console.log("listening"))`;
  const child = spawn(process.execPath, ["-e", script, join(directory, name)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return async () => {
    child.kill("SIGKILL");
    await once(child, "close");
  };
}

test("gives the directory to one, and to the next when it is released", async () => {
  const lock = await lockDirectory(directory);
  const refusal = await lockDirectory(directory).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DirectoryInUse);
  expect(refusal).toMatchObject({ pid: process.pid, message: `${directory} is in use by process ${process.pid}` });
  await lock.release();
  await (await lockDirectory(directory)).release();
  expect(readdirSync(directory)).toEqual([]);
});

test("gives the directory to one of many who come at once", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => lockDirectory(directory)));
  const winners = outcomes.filter((outcome): outcome is PromiseFulfilledResult<DirectoryLock> => {
    return outcome.status === "fulfilled";
  });
  expect(winners).toHaveLength(1);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  expect(reasons.every((reason) => reason instanceof DirectoryInUse)).toBe(true);
  await winners[0]?.value.release();
});

test("names the process that has the directory", async () => {
  const kill = await listener("lock.4711.00000000");
  await expect(lockDirectory(directory)).rejects.toThrow(`${directory} is in use by process 4711`);
  await kill();
});

test("takes over from a process that was killed, even if its id is in use again", async () => {
  // The test's own id: a process of that id is alive for certain.
  const left = `lock.${process.pid}.00000000`;
  const kill = await listener(left);
  await kill();
  expect(readdirSync(directory)).toEqual([left]);

  const lock = await lockDirectory(directory);
  expect(readdirSync(directory)).not.toContain(left);
  await expect(lockDirectory(directory)).rejects.toThrow(DirectoryInUse);
  await lock.release();
});

test("looks at nothing but locks", async () => {
  writeFileSync(join(directory, "lock.txt"), "");
  mkdirSync(join(directory, "lock.1.zzzzzzzz"));
  const lock = await lockDirectory(directory);
  await lock.release();
  expect(readdirSync(directory).sort()).toEqual(["lock.1.zzzzzzzz", "lock.txt"]);
});

test("follows a directory that is moved", async () => {
  const lock = await lockDirectory(directory);
  const moved = `${directory}-moved`;
  renameSync(directory, moved);
  await expect(lockDirectory(moved)).rejects.toThrow(DirectoryInUse);
  await lock.release();
  renameSync(moved, directory);
});

test("says so when the path leaves no room for a socket's address", async () => {
  const deep = join(directory, "d".repeat(60), "e".repeat(60));
  mkdirSync(deep, { recursive: true });
  await expect(lockDirectory(deep)).rejects.toThrow(/103 bytes.*use a shorter path/);
});

test("uses the shorter of two ways to the directory", async () => {
  const deep = join(directory, "d".repeat(60), "e".repeat(60));
  mkdirSync(deep, { recursive: true });
  const home = process.cwd();
  process.chdir(deep);
  try {
    const lock = await lockDirectory(deep);
    await expect(lockDirectory(deep)).rejects.toThrow(DirectoryInUse);
    await lock.release();
  } finally {
    process.chdir(home);
  }
});
