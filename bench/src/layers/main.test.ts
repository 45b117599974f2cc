/** Runs what is built: `tsc -b` comes first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, inject, onTestFinished, type TestContext, test } from "vitest";
import { brokers } from "./brokers.js";

const main = fileURLToPath(new URL("../../dist/layers/main.js", import.meta.url));

async function check(...given: string[]): Promise<{ code: number; output: string; errors: string }> {
  const { REDIS_URL: _, ...env } = process.env;
  const checking = spawn(process.execPath, [main, ...given], { env });
  onTestFinished(() => void checking.kill("SIGKILL"));
  const [[code], output, errors] = await Promise.all([
    once(checking, "close") as Promise<[number]>,
    text(checking.stdout),
    text(checking.stderr),
  ]);
  return { code, output, errors };
}

function skipBecause({ skip }: TestContext, missing: string): never {
  if (process.env.CI) throw new Error(missing);
  return skip(missing);
}

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

function lastLine(output: string): unknown {
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
}

test("three processes on one Redis hear everything, once and in order", async (context) => {
  const missing = brokers.redis.missing();
  if (missing !== undefined) skipBecause(context, missing);
  const { code, output, errors } = await check("--layer", "redis", ...small);
  expect({ code, output }, errors).toEqual({
    code: 0,
    output: expect.stringMatching(/^redis: none of 2025 deliveries/),
  });
  expect(lastLine(output)).toEqual({ redis: expect.objectContaining(everything) });
});

test("three processes on one PostgreSQL do, too", async (context) => {
  const server = inject("postgres");
  if ("missing" in server) skipBecause(context, server.missing);
  const { code, output, errors } = await check("--layer", "postgres", "--url", server.url, ...small);
  expect({ code, output }, errors).toEqual({
    code: 0,
    output: expect.stringMatching(/^postgres: none of 2025 deliveries/),
  });
  expect(lastLine(output)).toEqual({ postgres: expect.objectContaining(everything) });
});

test("a server that cannot be reached is a fault", async () => {
  const { code, output } = await check("--layer", "redis", "--url", "redis://127.0.0.1:1", ...small);
  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^The check of redis failed\. /) });
  expect(lastLine(output)).toEqual({ redis: { ok: false, faults: [expect.any(String)] } });
});

test("wrong arguments are answered with the usage", async () => {
  const { code, output, errors } = await check("--layer", "pigeon");
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toMatch(/^expected --layer redis or postgres, got pigeon\nusage: /);
});

test("without a redis-server a line says what to install", async () => {
  const checking = spawn(process.execPath, [main, "--layer", "redis"], { env: { PATH: "/nowhere" } });
  const [[code], errors] = await Promise.all([once(checking, "close"), text(checking.stderr)]);
  expect(code).toBe(2);
  expect(errors).toMatch(/^There is no redis-server in the PATH: install Redis .*\n$/);
});
