/** Runs what is built: `tsc -b` comes first. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { RowRecord } from "./report/record.js";

const dist = join(import.meta.dirname, "..", "dist");

/** A server that lets everybody in. */
const wrong = `
  import { WebSocketServer } from "ws";
  import { present } from "../servers/present.js";
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => present(server.address().port));
`;

/** A server that has something to say, and is gone. */
const dead = `process.stderr.write("out of memory with " + process.execArgv); process.exitCode = 3; process.disconnect();`;

/** A run with these two in the places of others, and with one that is right. */
const run = `
  import { benchmark } from "../benchmark.js";
  import { contestantOf } from "../contestant-of.js";
  import { growthOfHandshakes } from "../rows/growth.js";
  import { handshake } from "../rows/handshakes.js";
  const fake = (name, file) => ({ ...contestantOf(name), module: new URL(file, import.meta.url) });
  const growth = { ...growthOfHandshakes, points: [5, 10].map((at) => ({ at, units: { quick: at, full: at } })) };
  const records = await benchmark({
    rows: [handshake, growth],
    contestants: [fake("control-ws", "wrong.mjs"), fake("fastify", "dead.mjs"), contestantOf("sluice-node")],
    pace: "quick",
    rounds: 1,
    units: 10,
    tell: () => {},
    signal: new AbortController().signal,
  });
  process.stdout.write(JSON.stringify(records));
`;

test("who is wrong or dead fails in words, and the others go on", async () => {
  // Where the built modules are, so that they find what they import.
  const folder = await mkdtemp(join(dist, "fakes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, source] of Object.entries({ wrong, dead, run })) {
    await writeFile(join(folder, `${name}.mjs`), source);
  }
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "run.mjs")]);
  const [row, growth] = JSON.parse(stdout) as RowRecord[];
  expect(row?.failures).toEqual([
    {
      contestant: "control-ws",
      at: 1,
      words: expect.stringMatching(
        /^expected status 403 in answer to a handshake with a foreign origin, got "HTTP\/1.1 101/,
      ),
    },
    {
      contestant: "fastify",
      at: 1,
      words: "expected fastify to be ready, but it ended with code 3, saying: out of memory with --no-memory-reducer",
    },
  ]);
  expect(row?.points.map(({ rounds }) => rounds.map((round) => Object.keys(round)))).toEqual([[["sluice-node"]]]);

  // Where the points take turns, each has its own server, which fails by itself.
  expect(growth?.failures.map(({ contestant, at }) => [contestant, at])).toEqual([
    ["control-ws", 5],
    ["fastify", 5],
    ["control-ws", 10],
    ["fastify", 10],
  ]);
  expect(growth?.points).toEqual(
    [5, 10].map((at) => ({ at, rounds: [{ "sluice-node": expect.objectContaining({ units: at }) }] })),
  );
});
