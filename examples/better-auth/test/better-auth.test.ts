import { once } from "node:events";
import { InMemoryChannelLayer, Leases, type Server, silentLogger } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import type { BetterAuthOptions } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { createApplication } from "../src/application.js";
import { type Auth, createAuth } from "../src/auth.js";
import { SessionVerifier, sessionCookie } from "../src/session-verifier.js";

const origin = "http://chat.example.com";
const password = "orange stapler museum";
const clock = new FakeClock(Date.now());
const store = { user: [], session: [] as { token: string; expiresAt: Date }[], account: [], verification: [] };

let auth: Auth;
let server: Server;

beforeAll(async () => {
  const leases = new Leases({ layer: new InMemoryChannelLayer(), clock });
  const secret = "wQ3v9Zr1nL7kT5xB2mF8yC4hJ6dG0sPa";
  auth = createAuth({ baseURL: origin, secret, database: memoryAdapter(store) }, leases);
  const application = await createApplication(auth, leases, ["chat.example.com"]);
  server = await serve(application, { port: 0, logger: silentLogger });
});
afterAll(() => server.close());

function ask(path: string, content: object, cookie = ""): Promise<Response> {
  return fetch(`${server.url}/api/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin, cookie },
    body: JSON.stringify(content),
  });
}

/** The cookie of somebody who has just signed up. */
async function signUp(name: string): Promise<string> {
  const response = await ask("sign-up/email", { email: `${name.toLowerCase()}@example.com`, name, password });
  const [cookie = ""] = response.headers.getSetCookie();
  return cookie.slice(0, cookie.indexOf(";"));
}

function visit(cookie: string, from = origin): WebSocket {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws/echo/`, { origin: from, headers: { cookie } });
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  return socket;
}

/** A WebSocket that has been greeted. */
async function enter(cookie: string): Promise<WebSocket> {
  const socket = visit(cookie);
  await once(socket, "message");
  return socket;
}

async function refusal(socket: WebSocket): Promise<number> {
  const [, response] = await once(socket, "unexpected-response");
  return response.statusCode;
}

async function endOf(socket: WebSocket): Promise<readonly [number, string]> {
  const [code, reason] = await once(socket, "close");
  return [code, `${reason}`];
}

function endSession(cookie: string, time: number): void {
  for (const session of store.session) if (cookie.includes(session.token)) session.expiresAt = new Date(time);
}

describe("WebSockets for who has signed in with Better Auth", () => {
  it("know them", async () => {
    const socket = visit(await signUp("Ada"));
    expect(`${(await once(socket, "message"))[0]}`).toBe("Hello Ada");
    socket.send("Good evening");
    expect(`${(await once(socket, "message"))[0]}`).toBe("Good evening");
  });

  it("are closed when they sign out, and others' are not", async () => {
    const cookie = await signUp("Bob");
    const [socket, other] = [await enter(cookie), await enter(await signUp("Eve"))];
    const end = endOf(socket);
    expect((await ask("sign-out", {}, cookie)).status).toBe(200);
    expect(await end).toEqual([4401, "logged_out"]);
    expect(await refusal(visit(cookie))).toBe(401);
    other.send("still here");
    expect(`${(await once(other, "message"))[0]}`).toBe("still here");
  });

  it("are closed when they sign out everywhere", async () => {
    const cookie = await signUp("Finn");
    const end = endOf(await enter(cookie));
    expect((await ask("revoke-sessions", {}, cookie)).status).toBe(200);
    expect(await end).toEqual([4401, "logged_out"]);
  });

  it("refuse a cookie that was changed, and none", async () => {
    const cookie = await signUp("Grace");
    expect(await refusal(visit(cookie.replace(/=./, "=_")))).toBe(401);
    expect(await refusal(visit(`${cookie.slice(0, cookie.indexOf("."))}`))).toBe(401);
    expect(await refusal(visit(""))).toBe(401);
  });

  it("refuse pages of other origins, whose requests have the cookie as well", async () => {
    expect(await refusal(visit(await signUp("Heidi"), "https://evil.example"))).toBe(403);
  });

  it("refuse a session that has ended", async () => {
    const cookie = await signUp("Ivan");
    endSession(cookie, Date.now());
    expect(await refusal(visit(cookie))).toBe(401);
  });

  it("are closed when the session ends", async () => {
    const cookie = await signUp("Judy");
    // So far away that a slow machine is in time.
    endSession(cookie, Date.now() + 600_000);
    const end = endOf(await enter(cookie));
    await clock.advance(1_200_000);
    expect(await end).toEqual([4401, "expired"]);
  });
});

describe("the verifier", () => {
  it("says what the session says, and changes nothing about it", async () => {
    const cookie = await signUp("Kim");
    const name = await sessionCookie(auth);
    const verifier = new SessionVerifier(auth, name);
    const grant = await verifier.verify(cookie.slice(name.length + 1));
    const session = store.session.find(({ token }) => cookie.includes(token));
    expect(grant).toMatchObject({
      user: { isAuthenticated: true, username: "kim@example.com", name: "Kim" },
      expiresAt: session?.expiresAt.getTime(),
      sessionId: grant?.tokenId,
    });
    expect(cookie).not.toContain(grant?.tokenId);
  });

  it("rejects while the store is away, which is no verdict", async () => {
    const cookie = await signUp("Leo");
    const name = await sessionCookie(auth);
    const away: Auth = createAuth(
      {
        ...auth.options,
        logger: { disabled: true },
        database: (storeOptions: BetterAuthOptions) => ({
          ...memoryAdapter(store)(storeOptions),
          findOne: () => Promise.reject(new Error("the store is away")),
        }),
      },
      new Leases({ layer: new InMemoryChannelLayer(), clock }),
    );
    await expect(new SessionVerifier(away, name).verify(cookie.slice(name.length + 1))).rejects.toThrow();
    expect(await new SessionVerifier(auth, name).verify(cookie.slice(name.length + 1))).toBeDefined();
  });

  it.each(["", " ", "a; b=c", "a\r\nb: c", "\0", "ä", "%", "%zz.%zz", ".", "=.=", "a.b="])(
    "refuses %j without throwing",
    async (token) => {
      const verifier = new SessionVerifier(auth, await sessionCookie(auth));
      expect(await verifier.verify(token)).toBeUndefined();
    },
  );
});
