import { expect, inject, test } from "vitest";
import { brokers } from "../checks/brokers.js";
import { lastLine, runBuilt, skipBecause } from "../checks/test-command.js";

const small = ["--deliveries", "2000", "--sockets", "60", "--groups", "4"];

/** 2,000 deliveries are 134 publishes to groups of 15, said three at a time: 135. */
const everything = {
  ok: true,
  faults: [],
  said: 135,
  confirmed: 135,
  deliveries: 2_025,
  ...{ rejected: 0, hung: 0, lost: 0, twice: 0, disordered: 0, strayed: 0, ended: 0 },
  dropped: [34, 34, 34],
  p50: expect.any(Number),
  p99: expect.any(Number),
  unit: "ms",
};

test("three processes on one Redis hear everything, once and in order", async (context) => {
  const missing = brokers.redis.missing();
  if (missing !== undefined) skipBecause(context, missing);
  const { code, output, errors } = await runBuilt("layers", ["--layer", "redis", ...small]);
  expect({ code, output }, errors).toEqual({
    code: 0,
    output: expect.stringMatching(/^redis: none of 2025 deliveries/),
  });
  expect(lastLine(output)).toEqual({ redis: expect.objectContaining(everything) });
});

test("three processes on one PostgreSQL do, too", async (context) => {
  const server = inject("postgres");
  if ("missing" in server) skipBecause(context, server.missing);
  const { code, output, errors } = await runBuilt("layers", ["--layer", "postgres", "--url", server.url, ...small]);
  expect({ code, output }, errors).toEqual({
    code: 0,
    output: expect.stringMatching(/^postgres: none of 2025 deliveries/),
  });
  expect(lastLine(output)).toEqual({ postgres: expect.objectContaining(everything) });
});

test("a server that cannot be reached is a fault", async () => {
  const { code, output } = await runBuilt("layers", ["--layer", "redis", "--url", "redis://127.0.0.1:1", ...small]);
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^The check of redis failed\. /) });
  expect(lastLine(output)).toEqual({ redis: { ok: false, faults: [expect.any(String)] } });
});

test("wrong arguments are answered with the usage", async () => {
  const { code, output, errors } = await runBuilt("layers", ["--layer", "pigeon"]);
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toMatch(/^expected --layer redis or postgres, got pigeon\nusage: /);
});

test("without a redis-server a line says what to install", async () => {
  const { code, errors } = await runBuilt("layers", ["--layer", "redis"], { PATH: "/nowhere" });
  expect(code).toBe(2);
  expect(errors).toMatch(/^There is no redis-server in the PATH: install Redis .*\n$/);
});
