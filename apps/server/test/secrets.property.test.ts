import fc from "fast-check";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { freshDatabase } from "../../../test/fresh-database.js";
import { KnownSecrets } from "./known-secrets.js";
import { type Failure, failures, proper, registration, type Step, step, stray } from "./secret-steps.js";
import { SecretiveClient } from "./secretive-client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { type TcpProxy, tcpProxy } from "./tcp-proxy.js";
import { describeTransports } from "./transports.js";

/** What can be done to the database of a server; nothing where there is none apart from it. */
interface Trouble {
  readonly env: Readonly<Record<string, string>>;
  make(how: Failure["how"]): Promise<void>;
  end(how: Failure["how"]): Promise<void>;
  close(): Promise<void>;
}

async function openTrouble(): Promise<Trouble> {
  const none = async (): Promise<void> => {};
  if ("missing" in inject("postgres")) return { env: {}, make: none, end: none, close: none };
  const url = await freshDatabase();
  const proxy: TcpProxy = await tcpProxy(url);
  const sql: Sql = postgres(url, { max: 1, onnotice: () => {} });
  const rename = async (from: string, to: string): Promise<void> => {
    await sql`alter table ${sql(from)} rename to ${sql(to)}`;
  };
  return {
    env: { DATABASE_URL: proxy.url, SECRET_KEY: "a secret of the test's, 32 bytes long" },
    async make(how) {
      if (how === "no database") await proxy.die();
      else await rename(how.slice(3), "elsewhere");
    },
    async end(how) {
      if (how === "no database") await proxy.revive();
      else await rename("elsewhere", how.slice(3));
    },
    async close() {
      await sql.end();
      await proxy.close();
    },
  };
}

describeTransports((transport) => {
  const secrets = new KnownSecrets(transport);
  let trouble: Trouble;
  let server: ServerProcess;
  let client: SecretiveClient;
  beforeAll(async () => {
    trouble = await openTrouble();
    server = await startServer({
      env: {
        ...trouble.env,
        TRANSPORT: transport,
        LOG_LEVEL: "trace",
        ALLOW_URL_CREDENTIALS: "true",
        // What is refused for its number says nothing.
        MAX_LOGIN_FAILURES_PER_ADDRESS: "0",
        LOGIN_FAILURES_BEFORE_DELAY: "1000000",
        MAX_WRONG_TOKENS_PER_ADDRESS: "0",
        MAX_MESSAGES_PER_SECOND: "0",
        MAX_MESSAGES_PER_SECOND_PER_USER: "0",
      },
    });
    client = new SecretiveClient(server.url, secrets);
    expect(await client.take(registration)).toContain("201 Created");
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
    expect(secrets.lineShownIn(written())).toBeUndefined();
    await trouble.close();
  });

  async function run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.do !== "fail") {
        const answer = await client.take(step);
        expect(secrets.lineShownIn(answer), JSON.stringify(step)).toBeUndefined();
        continue;
      }
      await trouble.make(step.how);
      try {
        await run(step.meanwhile);
      } finally {
        await trouble.end(step.how);
      }
    }
  }

  let read = 0;
  /** What the server has written since it was asked before, as whole lines. */
  function written(): string {
    const all = server.output();
    const from = read;
    read = all.lastIndexOf("\n") + 1;
    return all.slice(from, read);
  }

  let looks = 0;
  async function look(): Promise<void> {
    looks += 1;
    await fetch(`${server.url}/healthz`);
    await server.until(() => server.log().filter(({ route }) => route === "/healthz").length === looks);
    expect(secrets.lineShownIn(written())).toBeUndefined();
  }

  it("whatever clients do, and whatever fails, no log line and no answer has a secret in it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12, size: "max" }), async (steps) => {
        await run(steps);
        await look();
      }),
      {
        numRuns: 30,
        examples: [
          [[...proper]],
          [[...stray]],
          [failures.map((how): Failure => ({ do: "fail", how, meanwhile: proper }))],
        ],
        // A slow machine looks at less.
        interruptAfterTimeLimit: 60_000,
      },
    );
    expect(server.log().filter(({ msg }) => msg === "open")).not.toEqual([]);
    if (trouble.env.DATABASE_URL !== undefined) expect(server.output()).toContain("the database cannot be reached");
  });
});
