import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { Redis } from "ioredis";
import type { TestProject } from "vitest/node";
import { checkRedisInstalled, RedisProcess } from "./redis-process.js";

/** The Redis server of a test run, or why there is none. */
export type RedisServer =
  | {
      readonly url: string;
      /** Begins the prefixes of this run's layers; their keys are deleted when it ends. */
      readonly prefix: string;
      /** Why no test can start a server of its own, if so. */
      readonly noOwn?: string;
    }
  | { readonly missing: string };

declare module "vitest" {
  export interface ProvidedContext {
    readonly redis: RedisServer;
  }
}

interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts one Redis for the whole run and lends it to the tests as `inject("redis")`: the server named by REDIS_TEST_URL;
 * else a container, if a Docker daemon answers; else the redis-server of the PATH. Where none starts, the tests that need
 * one are skipped and a line says why; on CI the run fails.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const server = await startServer();
    const prefix = `sluice-test-${randomBytes(4).toString("hex")}`;
    const noOwn = await checkRedisInstalled().then(
      () => undefined,
      (error: unknown) => {
        if (process.env.CI) throw error;
        return `the PATH has no redis-server (${error})`;
      },
    );
    project.provide("redis", { url: server.url, prefix, ...(noOwn === undefined ? {} : { noOwn }) });
    return async () => {
      await deleteKeys(server.url, prefix);
      await server.stop();
    };
  } catch (error) {
    if (process.env.CI) throw error;
    const missing = error instanceof Error ? error.message : String(error);
    project.vitest.logger.warn(`No Redis for the tests, those that need one are skipped: ${missing}`);
    project.provide("redis", { missing });
    return async () => {};
  }
}

async function startServer(): Promise<RunningServer> {
  const url = process.env.REDIS_TEST_URL;
  if (url !== undefined && url !== "") return borrow(url);
  if (process.env.DOCKER_HOST === undefined && !existsSync("/var/run/docker.sock")) return startProcess();
  try {
    return await startContainer();
  } catch (error) {
    // No daemon answers, or it has no way to the registry.
    return startProcess().catch((second: unknown) => {
      throw new AggregateError([error, second], `neither a container (${error}) nor redis-server (${second}) starts`);
    });
  }
}

/** A server that somebody else started, and stops. */
async function borrow(url: string): Promise<RunningServer> {
  await withConnection(url, (redis) => redis.ping());
  return { url, stop: async () => {} };
}

async function startContainer(): Promise<RunningServer> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const container = await new GenericContainer("redis:7-alpine")
    .withCommand(["redis-server", "--save", "", "--appendonly", "no"])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage("Ready to accept connections"))
    .start();
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    stop: async () => {
      await container.stop();
    },
  };
}

async function startProcess(): Promise<RunningServer> {
  const server = await RedisProcess.start();
  return { url: `redis://127.0.0.1:${server.port}`, stop: () => server.kill() };
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  await withConnection(url, async (redis) => {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  });
}

async function withConnection(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let trouble: unknown;
  redis.on("error", (error) => {
    trouble = error;
  });
  try {
    await redis.connect();
    await work(redis);
  } catch (error) {
    throw trouble ?? error;
  } finally {
    redis.disconnect();
  }
}
