import { beforeAll, expect, it } from "vitest";
import { quickDatabase } from "./quick-database.js";
import { sluice, startServer } from "./server-process.js";
import { openSocket } from "./socket.js";
import { fastest } from "./transports.js";

const warnings = (log: Record<string, unknown>[]): unknown[] =>
  log.flatMap(({ level, msg }) => (Number(level) >= 40 ? [msg] : []));

let database: Record<string, string>;
beforeAll(async () => {
  database = await quickDatabase();
});

it("auto is the fastest transport there is", async () => {
  const server = await startServer({ env: database });
  expect(server.log()).toContainEqual(expect.objectContaining({ msg: "listening", transport: fastest }));
  expect(await server.stop()).toBe(0);
});

it("auto serves where uWebSockets.js has no binary, and says in one line why and how to get it", async () => {
  const server = await startServer({ env: database, imports: ["no-binary.mjs"] });
  expect(server.log()).toContainEqual(expect.objectContaining({ msg: "listening", transport: "node" }));
  expect(warnings(server.log())).toEqual([
    expect.stringMatching(
      /^serving on node:http.*expected a uWebSockets\.js binary for Node [\d.]+ .*found none\..*install/,
    ),
  ]);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  const socket = await openSocket(`${server.url}/ws/login/`);
  await socket.close();
  expect(await server.stop()).toBe(0);
});

it("uws does not start where it has no binary, and says why in one line", async () => {
  const { code, stdout, stderr } = await sluice(["serve"], { TRANSPORT: "uws" }, ["no-binary.mjs"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^sluice: expected a uWebSockets\.js binary for Node .*\n$/);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

it("node needs no binary and has nothing to complain about", async () => {
  const server = await startServer({ env: { ...database, TRANSPORT: "node" }, imports: ["no-binary.mjs"] });
  expect(server.log()).toContainEqual(expect.objectContaining({ msg: "listening", transport: "node" }));
  expect(warnings(server.log())).toEqual([]);
  expect(await server.stop()).toBe(0);
});
