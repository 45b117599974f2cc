import { expect, inject, test } from "vitest";
import { brokers } from "../checks/brokers.js";
import { lastLine, runBuilt, skipBecause } from "../checks/test-command.js";

/** How fast it is depends on what else the machine does; whether it is right does not. */
const small = ["--sockets", "30", "--rate", "50", "--bound", "5000"];

const everything = {
  ok: true,
  faults: [],
  ...{ sockets: 30, revoked: 10, closed: 30, failed: 0, late: 0, wrong: 0, strayed: 0 },
  early: expect.any(Number),
  p50: expect.any(Number),
  p99: expect.any(Number),
  unit: "ms",
  leases: [0, 0, 0],
};

test("a token that is revoked at one of three processes on one Redis has no socket left on any", async (context) => {
  const missing = brokers.redis.missing();
  if (missing !== undefined) skipBecause(context, missing);
  const { code, output, errors } = await runBuilt("revoke", ["--layer", "redis", ...small]);
  expect({ code, output }, errors).toEqual({ code: 0, output: expect.stringMatching(/^redis: all 30 sockets /) });
  expect(lastLine(output)).toEqual({ redis: expect.objectContaining(everything) });
});

test("nor has it on one PostgreSQL", async (context) => {
  const server = inject("postgres");
  if ("missing" in server) skipBecause(context, server.missing);
  const { code, output, errors } = await runBuilt("revoke", ["--layer", "postgres", "--url", server.url, ...small]);
  expect({ code, output }, errors).toEqual({ code: 0, output: expect.stringMatching(/^postgres: all 30 sockets /) });
  expect(lastLine(output)).toEqual({ postgres: expect.objectContaining(everything) });
});

test("wrong arguments are answered with the usage", async () => {
  const { code, output, errors } = await runBuilt("revoke", ["--bound", "0"]);
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toMatch(/^expected --bound to be a whole number from 1 to 5000, got 0\nusage: npm run check:revoke /);
});
