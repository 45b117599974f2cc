import { InMemoryChannelLayer } from "@sluice/core";
import { Argon2Hasher } from "@sluice/passwords-argon2";
import { type Database, openDatabase } from "@sluice/store-drizzle";
import { FakeClock, type LiveServer, liveServer } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApplication } from "../src/application.js";
import { logOutEverywhere } from "../src/everywhere.js";

/** Milliseconds that a busy machine may take for what an idle one does at once. */
const timeout = 15_000;
const minute = 60_000;
const ours = "https://chat.example";
const theirs = "https://evil.example";
/** As cheap as argon2 can be: it is not what is tested here. */
const hasher = new Argon2Hasher({ memory: 8, passes: 1 });

let database: Database;
beforeAll(async () => {
  database = await openDatabase({ memory: true });
  await database.migrate();
  for (const username of ["ada", "bob"]) {
    await database.users.create({ username, name: "", passwordHash: await hasher.hash(`${username}'s secret`) });
  }
});
afterAll(() => database.close());

async function live() {
  const clock = new FakeClock(Date.now());
  const layer = new InMemoryChannelLayer();
  const services = { users: database.users, sessions: database.sessions, hasher, layer, clock };
  const site = { allowedHosts: [ours], lifetime: 10 * minute, idleLifetime: 5 * minute };
  const { application, leases } = await createApplication(services, site);
  const server = await liveServer(application, { serve, timeout });
  return {
    clock,
    leases,
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await leases.close();
      await layer.close();
    },
  };
}

/** What a browser does with cookies, at pages of `origin`. */
class Browser {
  readonly #server: LiveServer;
  cookie = "";

  constructor(server: LiveServer, cookie = "") {
    this.#server = server;
    this.cookie = cookie;
  }

  async get(path: string) {
    return this.#keep(await this.#server.fetch(path, { headers: { cookie: this.cookie } }));
  }

  async post(path: string, fields: Record<string, string> = {}, origin = ours) {
    const headers = { cookie: this.cookie, origin };
    return this.#keep(await this.#server.fetch(path, { method: "POST", headers, body: new URLSearchParams(fields) }));
  }

  logIn(username = "ada") {
    return this.post("/login", { username, password: `${username}'s secret` });
  }

  webSocket(origin = ours) {
    const headers: [string, string][] = [
      ["cookie", this.cookie],
      ["origin", origin],
    ];
    return this.#server.websocket("/ws/chat/", { headers });
  }

  /** The status that a handshake is answered with. */
  async handshake(origin?: string) {
    await using client = this.webSocket(origin);
    const handshake = await client.connect();
    return handshake.connected ? 101 : handshake.status;
  }

  #keep(response: Response): Response {
    const [pair] = response.headers.get("set-cookie")?.split(";") ?? [];
    if (pair !== undefined) this.cookie = pair;
    return response;
  }
}

describe("the application of the document about sessions", () => {
  it("knows who has logged in by the form, on HTTP and on WebSockets", async () => {
    await using site = await live();
    const [ada, bob] = [new Browser(site.server), new Browser(site.server)];
    expect((await ada.get("/")).headers.get("location")).toBe("/login");
    expect(await (await ada.get("/login")).text()).toContain('<form method="post"');
    expect(ada.cookie).toBe("");

    const response = await ada.logIn();
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-sessionid=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await (await ada.get("/")).json()).toEqual({ user: "ada", visits: 1 });
    expect(await (await ada.get("/")).json()).toEqual({ user: "ada", visits: 2 });

    await bob.logIn("bob");
    await using one = ada.webSocket();
    await using two = bob.webSocket();
    for (const client of [one, two]) expect(await client.connect()).toMatchObject({ connected: true });
    expect([await one.receiveJsonFrom(), await two.receiveJsonFrom()]).toEqual([{ hello: "ada" }, { hello: "bob" }]);
    one.sendJsonTo("hi");
    expect(await two.receiveJsonFrom()).toEqual({ from: "ada", text: "hi" });
  });

  it("does not know who gives a wrong password or a name that is nobody's", async () => {
    await using site = await live();
    const browser = new Browser(site.server);
    for (const fields of [{ username: "ada", password: "wrong" }, { username: "eve", password: "eve's secret" }, {}]) {
      expect((await browser.post("/login", fields as Record<string, string>)).status).toBe(400);
    }
    expect(browser.cookie).toBe("");
  });

  it("does not fall for a session that was foisted on the user", async () => {
    await using site = await live();
    const mallory = new Browser(site.server);
    await mallory.logIn("bob");
    const ada = new Browser(site.server, mallory.cookie);
    await ada.logIn("ada");
    expect(ada.cookie).not.toBe(mallory.cookie);
    expect((await mallory.get("/")).headers.get("location")).toBe("/login");
    expect(await (await ada.get("/")).json()).toEqual({ user: "ada", visits: 1 });
  });

  it("does not fall for a cookie that is forged", async () => {
    await using site = await live();
    const ada = new Browser(site.server);
    await ada.logIn();
    for (const cookie of [
      `__Host-sessionid=${"A".repeat(43)}`,
      `${ada.cookie}A`,
      ada.cookie.slice(7),
      "__Host-sessionid=",
    ]) {
      const forger = new Browser(site.server, cookie);
      expect((await forger.get("/")).headers.get("location")).toBe("/login");
      expect(await forger.handshake()).toBe(403);
    }
  });

  it("forgets a session that has expired", async () => {
    await using site = await live();
    const ada = new Browser(site.server);
    await ada.logIn();
    await site.clock.advance(5 * minute - 1);
    expect(await ada.handshake()).toBe(101);
    await site.clock.advance(5 * minute);
    expect((await ada.get("/")).headers.get("location")).toBe("/login");
    expect(await ada.handshake()).toBe(403);
  });

  it("refuses what a page of another site makes its visitor's browser send", async () => {
    await using site = await live();
    const ada = new Browser(site.server);
    await ada.logIn();
    const refused = await ada.post("/logout", {}, theirs);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toBe(`Expected an Origin among ${ours}, got ${theirs}\n`);
    expect(await ada.handshake(theirs)).toBe(403);
    expect(await (await ada.get("/")).json()).toMatchObject({ user: "ada" });

    // Nor is the visitor logged in as somebody else.
    const visitor = new Browser(site.server);
    expect((await visitor.post("/login", { username: "bob", password: "bob's secret" }, theirs)).status).toBe(403);
    expect(visitor.cookie).toBe("");
  });

  it("closes the WebSockets of a session that is logged out", async () => {
    await using site = await live();
    const [laptop, phone] = [new Browser(site.server), new Browser(site.server)];
    await laptop.logIn();
    await phone.logIn();
    await using one = laptop.webSocket();
    await using two = phone.webSocket();
    for (const client of [one, two]) {
      await client.connect();
      await client.receiveJsonFrom();
    }
    const { cookie } = laptop;
    const response = await laptop.post("/logout");
    expect(response.status).toBe(303);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-sessionid=; Max-Age=0;/);
    expect(await one.receiveClose()).toEqual({ code: 4401, reason: "logged_out" });
    expect(await new Browser(site.server, cookie).handshake()).toBe(403);
    two.sendJsonTo("still here");
    expect(await two.receiveJsonFrom()).toEqual({ from: "ada", text: "still here" });
  });

  it("logs a user out on all devices but this one", async () => {
    await using site = await live();
    const [laptop, phone] = [new Browser(site.server), new Browser(site.server)];
    await laptop.logIn();
    await phone.logIn();
    await using client = phone.webSocket();
    await client.connect();
    await client.receiveJsonFrom();
    await site.clock.advance(1);
    expect((await laptop.post("/logout-elsewhere")).status).toBe(303);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "logged_out" });
    expect((await phone.get("/")).headers.get("location")).toBe("/login");
    expect(await (await laptop.get("/")).json()).toMatchObject({ user: "ada" });
    expect(await laptop.handshake()).toBe(101);
  });

  it("logs a user out everywhere", async () => {
    await using site = await live();
    const [laptop, bob] = [new Browser(site.server), new Browser(site.server)];
    await laptop.logIn();
    await bob.logIn("bob");
    await using client = laptop.webSocket();
    await client.connect();
    await client.receiveJsonFrom();
    const { id = "" } = (await database.users.findByUsername("ada")) ?? {};
    await logOutEverywhere(id, database.sessions, site.leases);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "disabled" });
    expect((await laptop.get("/")).headers.get("location")).toBe("/login");
    expect(await bob.handshake()).toBe(101);
  });
});
