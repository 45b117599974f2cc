/** Runs what is built: `tsc -b` comes first. */
import { randomUUID } from "node:crypto";
import { OpaqueTokens, systemClock } from "@sluice/core";
import { openDatabase } from "@sluice/store-drizzle";
import { JwtTokens } from "@sluice/tokens-jose";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { WebSocket } from "ws";
import { freshDatabase } from "../../../test/fresh-database.js";
import { Child } from "../processes/child.js";
import { type Contestant, contestants } from "./contestants.js";
import type { Refusal, Step } from "./dialect.js";
import type { ServerAnswers } from "./present.js";
import { account, databaseVariable, eventStream, groupPath, paths, secretVariable, site } from "./site.js";

const secret = "a secret of more than thirty-two bytes";
const hour = 3_600_000;

// A child inherits the options of Node, and those of a test run lead to the sources.
process.execArgv.splice(0);

const options = { keys: { current: secret }, issuer: site.issuer, audience: site.audience };
const issuer = new JwtTokens({ ...options, clock: systemClock });
const past = new JwtTokens({ ...options, clock: { ...systemClock, now: () => Date.now() - 2 * hour } });
const other = new JwtTokens({ ...options, keys: { current: `not ${secret}` }, clock: systemClock });

/** Where opaque tokens are; undefined where a run has no PostgreSQL. */
const databaseUrl = "url" in inject("postgres") ? await freshDatabase() : undefined;

async function tokenOf(tokens: JwtTokens): Promise<string> {
  return (await tokens.issue(account, { expiresIn: hour })).token;
}

/** A WebSocket of a contestant's, in its dialect. */
class Client {
  readonly #heard: (string | Buffer)[] = [];
  readonly #socket: WebSocket;
  readonly #said: Promise<unknown>;
  #isLost = false;

  constructor(port: number, target: string, host: string = site.allowedHost) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${target}`, { origin: `https://${host}` });
    this.#socket.on("message", (data: Buffer, isBinary) => this.#heard.push(isBinary ? data : data.toString()));
    this.#socket.once("close", () => {
      this.#isLost = true;
    });
    this.#said = new Promise((resolve, reject) => {
      this.#socket.once("open", () => resolve(101));
      this.#socket.once("unexpected-response", (_, response) => resolve(response.statusCode));
      this.#socket.once("error", reject);
    });
  }

  /** Of the answer to the handshake. */
  status(): Promise<unknown> {
    return this.#said;
  }

  send(data: string | Buffer): void {
    this.#socket.send(data);
  }

  async hear(): Promise<string | Buffer> {
    await vi.waitUntil(() => this.#heard.length > 0 || this.#isLost, { timeout: 20_000, interval: 5 });
    const heard = this.#heard.shift();
    if (heard === undefined) throw new Error("expected a message, and the server has closed the WebSocket");
    return heard;
  }

  async take(steps: readonly Step[]): Promise<void> {
    for (const { say, hear } of steps) {
      if (say !== undefined) this.send(say);
      if (typeof hear === "string") expect(await this.hear()).toBe(hear);
      else if (hear !== undefined) expect(await this.hear()).toMatch(hear);
    }
  }

  end(): void {
    this.#socket.on("error", () => {});
    this.#socket.terminate();
  }
}

describe.each(contestants.filter(({ missing }) => missing() === undefined))("$name", (contestant: Contestant) => {
  const { name, module, dialect, places, versions } = contestant;
  // Of the control a WebSocket is lost now and then right after its 101: see the README.
  const bearing = { retry: name === "control-uws" ? 3 : 0 };
  let child: Child<ServerAnswers>;
  const clients: Client[] = [];
  let port = 0;

  beforeAll(async () => {
    const built = new URL(module.href.replace("/bench/src/", "/bench/dist/"));
    const database = databaseUrl === undefined ? {} : { [databaseVariable]: databaseUrl };
    child = new Child(name, built, { env: { [secretVariable]: secret, ...database }, timeLimit: 30_000 });
    await child.ready;
    port = await child.ask("port");
  }, 30_000);

  afterAll(async () => {
    for (const client of clients) client.end();
    await child.end();
  });

  function connect(path: string, token: string | undefined, host?: string): Client {
    const client = new Client(port, dialect.target(path, token), host);
    clients.push(client);
    return client;
  }

  async function enter(path: string): Promise<Client> {
    const token = await tokenOf(issuer);
    const client = connect(path, token);
    expect(await client.status()).toBe(101);
    await client.take(dialect.opening?.(token, path) ?? []);
    return client;
  }

  async function refused({ status, opening }: Refusal, token: string | undefined, host?: string): Promise<void> {
    const client = connect(paths.echo, token, host);
    expect(await client.status()).toBe(status);
    await client.take(opening?.(token, paths.echo) ?? []);
  }

  const say = (client: Client, text: string, path: string): void => client.send(dialect.say?.(text, path) ?? text);
  const hear = async (client: Client, path: string): Promise<string> => {
    const text = String(await client.hear());
    return dialect.hear?.(text, path) ?? text;
  };

  test("lets in whom it must, and refuses the others", bearing, async () => {
    await enter(paths.echo);
    await refused(dialect.refusals.origin, await tokenOf(issuer), "chat.example.evil.example");
    await refused(dialect.refusals.token, undefined);
    await refused(dialect.refusals.token, await tokenOf(other));
    await refused(dialect.refusals.token, await tokenOf(past));
  });

  test("answers in every place of its WebSockets", bearing, async () => {
    const echo = await enter(paths.echo);
    say(echo, 'A "text", with ümlauts', paths.echo);
    expect(await hear(echo, paths.echo)).toBe('A "text", with ümlauts');
    if (dialect.textOnly !== true) {
      const bytes = Buffer.alloc(65_536, 7);
      echo.send(bytes);
      expect(bytes.equals((await echo.hear()) as Buffer)).toBe(true);
    }

    const json = await enter(paths.json);
    say(json, '{"type":"echo","n":1,"text":"for ñ"}', paths.json);
    expect(await hear(json, paths.json)).toBe('{"type":"echoed","n":1,"text":"for ñ"}');

    const here = groupPath("here-1");
    const members = [await enter(here), await enter(here), await enter(groupPath("there-2"))];
    const [ada, bob, eve] = members as [Client, Client, Client];
    say(ada, "to all", here);
    expect(await hear(ada, here)).toBe("to all");
    expect(await hear(bob, here)).toBe("to all");
    say(eve, "elsewhere", groupPath("there-2"));
    expect(await hear(eve, groupPath("there-2"))).toBe("elsewhere");
  });

  test.runIf(places.includes("login"))("answers requests", async () => {
    const url = `http://127.0.0.1:${port}`;
    const bearer = { authorization: `Bearer ${await tokenOf(issuer)}` };
    const logIn = (password: string): Promise<Response> =>
      fetch(url + paths.login, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: account.username, password }),
      });
    const { id, username, name } = account;

    expect((await logIn("wrong")).status).toBe(401);
    const { token } = (await (await logIn(account.password)).json()) as { token: string };
    const me = await fetch(url + paths.me, { headers: { authorization: `Bearer ${token}` } });
    expect(await me.json()).toEqual({ id, username, name });

    const ticket = await fetch(url + paths.ticket, { method: "POST", headers: bearer });
    expect(await ticket.json()).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/) });

    const events = await fetch(url + paths.events, { headers: bearer });
    expect(events.headers.get("content-type")).toBe("text/event-stream");
    expect(await events.text()).toBe(eventStream.event.repeat(eventStream.count));

    for (const [method, path] of [
      ["GET", paths.me],
      ["POST", paths.ticket],
      ["GET", paths.events],
    ] as const) {
      expect((await fetch(url + path, { method })).status).toBe(401);
      const headers = { authorization: `Bearer ${await tokenOf(past)}` };
      expect((await fetch(url + path, { method, headers })).status).toBe(401);
    }
  });

  test.runIf(places.includes("opaque") && databaseUrl !== undefined)("looks opaque tokens up", bearing, async () => {
    const database = await openDatabase({ url: databaseUrl ?? "" });
    await database.migrate();
    try {
      const tokens = new OpaqueTokens({ store: database.tokens, clock: systemClock });
      const user = await database.users.create({ username: randomUUID(), name, passwordHash: "none" });
      const { token: good } = await tokens.issue(user.id);
      const { token: expired } = await tokens.issue(user.id, { expiresAt: Date.now() - hour });
      const client = connect(paths.opaque, good);
      expect(await client.status()).toBe(101);
      client.send("known");
      expect(await client.hear()).toBe("known");
      const other = connect(paths.opaque, good, "chat.example.evil.example");
      expect(await other.status()).toBe(403);
      for (const token of [expired, "A".repeat(43), await tokenOf(issuer)]) {
        expect(await connect(paths.opaque, token).status()).toBe(401);
      }
    } finally {
      await database.close();
    }
  });

  test("says what it has cost, and what it runs on", async () => {
    expect(await child.ask("cpu")).toBeGreaterThan(0);
    expect(await child.ask("memory")).toBeGreaterThan(1_000_000);
    for (const version of versions()) expect(version).toMatch(/^\S+ \d+(\.\d+)+/);
  });
});

describe.each(contestants.filter(({ missing }) => missing() !== undefined))("$name", ({ name, missing }) => {
  test("is missing", (context) => {
    // CI installs what they need. Of uWebSockets.js there are binaries for some versions of Node only.
    if (process.env.CI !== undefined && !name.endsWith("-uws")) expect.fail(missing());
    context.skip(missing());
  });
});
