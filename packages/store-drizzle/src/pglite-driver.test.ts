import { type ChildProcessByStdio, spawn } from "node:child_process";
import { on, once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "./database.js";

const appendUntilKilled = fileURLToPath(new URL("../test/append-until-killed.mjs", import.meta.url));
const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "sluice-pglite-"));
  directory = join(parent, "nested", "data");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test("makes a directory for its owner only, and keeps everything from one opening to the next", async () => {
  const first = await openDatabase({ directory });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  await first.migrate();
  const user = await first.users.create({ username: "alice", name: "Alice", passwordHash: "x" });
  const message = await first.messages.append({ room: "room", senderId: user.id, text: "hi" });
  await first.close();

  const second = await openDatabase({ directory });
  await second.migrate();
  expect(await second.users.findByUsername("alice")).toEqual(user);
  expect(await second.messages.recent("room", 10)).toEqual([message]);
  await second.close();
});

test("is one opening at a time", async () => {
  const database = await openDatabase({ directory });
  await expect(openDatabase({ directory })).rejects.toMatchObject({
    code: "store_unavailable",
    message: `the database in ${directory} is in use by process ${process.pid}: stop that first, or choose another directory`,
  });
  await database.ping();
  await database.close();
  await (await openDatabase({ directory })).close();
});

test("says which directory it cannot open, and lets go of it", async () => {
  await (await openDatabase({ directory })).close();
  rmSync(join(directory, "cluster", "global"), { recursive: true });
  await expect(openDatabase({ directory })).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining(`the database in ${directory} cannot be opened`),
  });
  expect(readdirSync(directory)).toEqual(["cluster"]);
});

describe("a process that is killed", () => {
  /** Starts a process that appends messages to the directory. It runs what `tsc -b` built. */
  function startWriter(): ChildProcessByStdio<null, Readable, null> {
    if (!existsSync(built)) throw new Error(`expected ${built}, which npx tsc -b makes, got no such file`);
    return spawn(process.execPath, [appendUntilKilled, directory], { stdio: ["ignore", "pipe", "inherit"] });
  }

  test("loses nothing that was acknowledged, and does not block the next", async () => {
    const acknowledged: string[] = [];
    for (const enough of [1, 50, 400]) {
      const writer = startWriter();
      const closed = once(writer, "close");
      let count = 0;
      for await (const id of createInterface({ input: writer.stdout })) {
        acknowledged.push(id);
        count += 1;
        if (count === enough) writer.kill("SIGKILL");
      }
      expect(await closed).toEqual([null, "SIGKILL"]);
      expect(count).toBeGreaterThanOrEqual(enough);
    }

    const database = await openDatabase({ directory });
    const kept = new Set((await database.messages.recent("room", 1_000_000)).map((message) => message.id));
    await database.close();
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    // What was written but not yet acknowledged may be there, too: at most one message of each loop and round.
    expect(kept.size - acknowledged.length).toBeLessThanOrEqual(9);
  });

  test("while it makes the directory leaves one that opens", async () => {
    const writer = startWriter();
    const closed = once(writer, "close");
    await appears(parent, "PG_VERSION");
    writer.kill("SIGKILL");
    await closed;
    // What has its final name is whole.
    expect(existsSync(join(directory, "cluster"))).toBe(false);

    const database = await openDatabase({ directory });
    await database.migrate();
    await database.users.create({ username: "alice", name: "", passwordHash: "x" });
    await database.close();
    expect(readdirSync(directory)).toEqual(["cluster"]);
  });
});

/** Resolves when a file of that name has come to be somewhere under the folder. */
async function appears(folder: string, name: string): Promise<void> {
  const watcher = watch(folder, { recursive: true });
  try {
    for await (const [, path] of on(watcher, "change")) {
      if (String(path).endsWith(name)) return;
    }
  } finally {
    watcher.close();
  }
}
