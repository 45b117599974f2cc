import { FakeClock, WebsocketCommunicator, webSocketScope } from "@sluice/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { asApp } from "../consumers/as-app.js";
import { WebsocketConsumer } from "../consumers/websocket-consumer.js";
import { ConfigurationError } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import type { TicketRecord, TicketStore } from "../ports/ticket-store.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import type { UserRecord } from "../ports/user-store.js";
import { fromHeader, fromQuery } from "./carriers.js";
import { fromTicket } from "./from-ticket.js";
import { Tickets } from "./tickets.js";
import { TokenAuth } from "./token-auth.js";

const alice: UserRecord = {
  id: "7",
  username: "alice",
  name: "Alice",
  passwordHash: "$argon2id$...",
  isActive: true,
  isSuperuser: false,
  createdAt: 1,
};

const user = { isAuthenticated: true, id: "7", username: "alice", name: "Alice", isSuperuser: false } as const;
const start = Date.UTC(2026, 0, 1);
const here = { origin: "https://app.example.com", purpose: "chat" };

/** Keeps tickets in a map, and counts what it is asked. */
class MemoryTickets implements TicketStore {
  readonly records = new Map<string, TicketRecord>();
  user = alice;
  consumed = 0;

  async create(ticket: TicketRecord): Promise<void> {
    this.records.set(ticket.digest, ticket);
  }

  async consume(digest: string) {
    this.consumed += 1;
    const ticket = this.records.get(digest);
    this.records.delete(digest);
    return ticket && { ticket, user: this.user };
  }
}

function world(granted: Partial<Grant> = {}) {
  const clock = new FakeClock(start);
  const store = new MemoryTickets();
  const grant: Grant = { user, tokenId: "t1", expiresAt: undefined, issuedAt: start - 1, ...granted };
  const revoked = new Set<string>();
  const verify = vi.fn(({ tokenId }: Grant): boolean | Promise<boolean> => !revoked.has(tokenId));
  const tickets = new Tickets({ store, clock, verify });
  return { clock, store, grant, revoked, verify, tickets };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("issuing", () => {
  test("keeps the digest of a ticket and not the ticket, and what its token grants", async () => {
    const { tickets, store, grant } = world({ sessionId: "s1", scopes: ["chat:write"] });
    const { ticket, expiresIn } = await tickets.issue(grant, here);
    expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(expiresIn).toBe(30_000);
    expect([...store.records.values()]).toEqual([
      {
        digest: await sha256(ticket),
        userId: "7",
        grant: {
          tokenId: "t1",
          expiresAt: undefined,
          issuedAt: start - 1,
          sessionId: "s1",
          scopes: ["chat:write"],
        },
        ...here,
        expiresAt: start + 30_000,
      },
    ]);
  });

  test.each([
    ["its token's time", start + 10_500, 10_500],
    ["no time at all, as a verifier tolerates", start - 1, 0],
    ["its lifetime", start + 30_001, 30_000],
  ])("gives a ticket %s where that is less", async (_what, expiresAt, expiresIn) => {
    const { tickets, store, grant } = world({ expiresAt });
    expect(await tickets.issue(grant, here)).toMatchObject({ expiresIn });
    expect([...store.records.values()]).toMatchObject([{ expiresAt: start + expiresIn }]);
  });

  test.each([999, 300_001, 1.5, Number.NaN])("refuses a lifetime of %d", (lifetime) => {
    const { store, clock, verify } = world();
    expect(() => new Tickets({ store, clock, verify, lifetime })).toThrow(ConfigurationError);
  });
});

describe("using", () => {
  test("gives what the token grants, and the user as they are now, once", async () => {
    const { tickets, store, grant, verify } = world({ sessionId: "s1", scopes: ["chat:write"] });
    const { ticket } = await tickets.issue(grant, here);
    store.user = { ...alice, name: "Alice L." };
    const now = { ...grant, user: { ...user, name: "Alice L." } };
    expect(await tickets.consume(ticket, here)).toEqual(now);
    expect(verify).toHaveBeenCalledWith(now);
    expect(await tickets.consume(ticket, here)).toBeUndefined();
  });

  test("is over when its time is", async () => {
    const { tickets, clock, grant } = world();
    const [early, late] = [await tickets.issue(grant, here), await tickets.issue(grant, here)];
    await clock.advance(29_999);
    expect(await tickets.consume(early.ticket, here)).toBeDefined();
    await clock.advance(1);
    expect(await tickets.consume(late.ticket, here)).toBeUndefined();
  });

  test.each([
    ["another origin", { ...here, origin: "https://app.example.com:8443" }],
    ["the origin in another spelling", { ...here, origin: "https://App.example.com" }],
    ["no origin", { ...here, origin: undefined }],
    ["an opaque origin", { ...here, origin: "null" }],
    ["another purpose", { ...here, purpose: "upload" }],
  ])("refuses %s, and uses the ticket up", async (_what, use) => {
    const { tickets, grant, store } = world();
    const { ticket } = await tickets.issue(grant, here);
    expect(await tickets.consume(ticket, use)).toBeUndefined();
    expect(store.records.size).toBe(0);
    const { ticket: other } = await tickets.issue(grant, use);
    expect(await tickets.consume(other, here)).toBeUndefined();
  });

  test("takes a ticket of a client without an origin from such a client", async () => {
    const { tickets, grant } = world();
    const native = { ...here, origin: undefined };
    const { ticket } = await tickets.issue(grant, native);
    expect(await tickets.consume(ticket, native)).toBeDefined();
  });

  test("refuses the ticket of a token that was revoked since, and of a user who is not active", async () => {
    const { tickets, grant, store, revoked } = world();
    const [one, two] = [await tickets.issue(grant, here), await tickets.issue(grant, here)];
    store.user = { ...alice, isActive: false };
    expect(await tickets.consume(one.ticket, here)).toBeUndefined();
    store.user = alice;
    revoked.add("t1");
    expect(await tickets.consume(two.ticket, here)).toBeUndefined();
  });

  test.each(["", "short", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}=`, `${"a".repeat(42)}\n`, "ä".repeat(43)])(
    "spends neither a digest nor a look-up on %j",
    (malformed) => {
      const { tickets, store } = world();
      const digest = vi.spyOn(crypto.subtle, "digest");
      expect(tickets.consume(malformed, here)).toBeUndefined();
      expect(store.consumed).toBe(0);
      expect(digest).not.toHaveBeenCalled();
    },
  );

  test("rejects when nobody can say whether the token is good", async () => {
    const { tickets, grant, verify } = world();
    const { ticket } = await tickets.issue(grant, here);
    verify.mockRejectedValue(new Error("down"));
    await expect(tickets.consume(ticket, here)).rejects.toThrow("down");
  });
});

describe("fromTicket", () => {
  /** A gate that takes a token in the header and in the query, and a ticket. */
  function gate(given = world()) {
    const { clock, tickets, grant } = given;
    const leases = new Leases({ layer: new InMemoryChannelLayer({ clock }), clock });
    const verifier: TokenVerifier = { verify: vi.fn((token: string) => (token === "good" ? grant : undefined)) };
    const from = [fromHeader(), fromQuery("token"), fromTicket(tickets, { purpose: here.purpose })];
    class WhoAmI extends WebsocketConsumer<{ grant: Grant }> {
      override async connect() {
        await this.accept();
        await this.send(`${this.scope.grant.user.username} by ${this.scope.grant.tokenId}`);
      }
    }
    const application = TokenAuth(asApp(WhoAmI), { verifier, from, leases, onAnonymous: "deny" });
    const client = (query: string, headers: [string, string][] = []) =>
      new WebsocketCommunicator(application, `/?${query}`, { headers: [["Origin", here.origin], ...headers] });
    return { ...given, leases, verifier, client };
  }

  const refused = { connected: false, status: 401, body: '{"detail":"Invalid token."}' };

  test("lets in by a ticket, with the token's grant, and asks no other verifier", async () => {
    const { tickets, grant, leases, verifier, client } = gate();
    const { ticket } = await tickets.issue(grant, here);
    const socket = client(`x=1&ticket=${ticket}`);
    await socket.connect();
    expect(await socket.receiveFrom()).toBe("alice by t1");
    expect(verifier.verify).not.toHaveBeenCalled();
    expect(leases.leasesOf("7")).toMatchObject([{ tokenId: "t1" }]);
    await leases.revokeToken("t1", "logged_out");
    expect(await socket.receiveClose()).toEqual({ code: 4401, reason: "logged_out" });
  });

  test("ends a connection when the token expires, which has been open for long", async () => {
    const { clock, tickets, grant, client } = gate(world({ expiresAt: start + 60_000 }));
    const { ticket } = await tickets.issue(grant, here);
    const socket = client(`ticket=${ticket}`);
    await socket.connect();
    await socket.receiveFrom();
    await clock.advance(59_999);
    expect(await socket.receiveNothing(0)).toBe(true);
    await clock.advance(1);
    expect(await socket.receiveClose()).toEqual({ code: 4401, reason: "expired" });
  });

  test("refuses in the same words, whatever is wrong", async () => {
    const { clock, tickets, grant, revoked, client } = gate();
    const issue = async (use = here) => `ticket=${(await tickets.issue(grant, use)).ticket}`;
    const used = await issue();
    await client(used).connect();
    const old = await issue();
    await clock.advance(30_000);
    const answers = [];
    for (const query of [
      used,
      old,
      await issue({ ...here, origin: "https://evil.example" }),
      await issue({ ...here, purpose: "upload" }),
      `ticket=${"a".repeat(43)}`,
      "ticket=",
      "ticket=good",
    ]) {
      answers.push(await client(query).connect());
    }
    revoked.add("t1");
    answers.push(await client(await issue()).connect());
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject(refused);
  });

  test("does not take a ticket where a token stands, nor both in one request", async () => {
    const { tickets, grant, store, client } = gate();
    const { ticket } = await tickets.issue(grant, here);
    expect(await client(`token=${ticket}`).connect()).toMatchObject(refused);
    const other = (await tickets.issue(grant, here)).ticket;
    for (const socket of [
      client(`ticket=${ticket}&ticket=${other}`),
      client(`ticket=${ticket}&token=good`),
      client(`ticket=${ticket}`, [["Authorization", "Bearer good"]]),
      client(`ticket=${ticket}&token=${ticket}`),
    ]) {
      expect(await socket.connect()).toMatchObject({ connected: false, status: 400 });
    }
    expect(store.consumed).toBe(0);
    expect(await client(`ticket=${ticket}&ticket=${ticket}`).connect()).toMatchObject({ connected: true });
  });

  test("lets nobody in whose token is revoked while the ticket is being used", async () => {
    for (const moment of ["before the store has answered", "after it was found good"]) {
      const { tickets, grant, verify, revoked, leases, client } = gate();
      const { ticket } = await tickets.issue(grant, here);
      verify.mockImplementation(async () => {
        const good = moment === "after it was found good";
        revoked.add("t1");
        await leases.revokeToken("t1");
        return good;
      });
      expect(await client(`ticket=${ticket}`).connect(), moment).toMatchObject(refused);
      expect(leases.size).toBe(0);
    }
  });

  test("refuses with 503 while tickets cannot be looked up", async () => {
    const { tickets, grant, store, client } = gate();
    const { ticket } = await tickets.issue(grant, here);
    vi.spyOn(store, "consume").mockRejectedValue(new Error("down"));
    const socket = client(`ticket=${ticket}`);
    expect(await socket.connect()).toMatchObject({ connected: false, status: 503 });
    expect(JSON.stringify(socket.logger.lines)).not.toContain(ticket);
  });

  test("reads another parameter where that is wanted", () => {
    const { tickets } = world();
    const { find } = fromTicket(tickets, { purpose: "chat", parameter: "t" });
    expect(find(webSocketScope({ queryString: "ticket=a&t=b" }))).toEqual(["b"]);
    expect(() => fromTicket(tickets, { purpose: "chat", parameter: "" })).toThrow(ConfigurationError);
  });
});

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Buffer.from(digest).toString("hex");
}
