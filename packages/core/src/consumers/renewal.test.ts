import { FakeClock, RecordingLogger, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import type { App } from "../app.js";
import type { MaybeAuthenticated, Renewed } from "../auth/authenticated.js";
import { fromHeader } from "../auth/carriers.js";
import { TokenAuth } from "../auth/token-auth.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { Refusal } from "../auth/verdict.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { Leases } from "../leases/leases.js";
import { provide } from "../middleware.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { asApp } from "./as-app.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import type { StandardSchemaV1 } from "./standard-schema.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

const start = Date.UTC(2026, 0, 1);

interface Member extends User {
  readonly name: string;
}

const ada: Member = { isAuthenticated: true, id: "ada", username: "ada", name: "Ada" };
const bob: Member = { isAuthenticated: true, id: "bob", username: "bob", name: "Bob" };
const grants: Readonly<Record<string, Grant<Member>>> = {
  short: { user: ada, tokenId: "id-short", expiresAt: start + 1_000, scopes: ["admin", "chat"] },
  long: { user: { ...ada, name: "Countess" }, tokenId: "id-long", expiresAt: start + 3_600_000, scopes: ["chat"] },
  endless: { user: ada, tokenId: "id-endless", expiresAt: undefined },
  other: { user: bob, tokenId: "id-other", expiresAt: undefined },
};

type Inner<Needs extends object = {}> = App<"websocket", MaybeAuthenticated<Member> & Needs>;

function world(verify: TokenVerifier<Member>["verify"] = (token) => grants[token]) {
  const clock = new FakeClock(start);
  const layer = new InMemoryChannelLayer({ clock });
  const leases = new Leases({ layer, clock });
  const logger = new RecordingLogger();
  const gate = (app: Inner): App<"websocket"> =>
    TokenAuth(app, { verifier: { verify }, from: [fromHeader()], leases, clock });
  const open = async (app: Inner, token?: string): Promise<WebsocketCommunicator> => {
    const headers: [string, string][] = token === undefined ? [] : [["authorization", `Bearer ${token}`]];
    const client = new WebsocketCommunicator(gate(app), "/", { headers });
    expect(await client.connect()).toMatchObject({ connected: true });
    return client;
  };
  return { clock, layer, leases, logger, open };
}

const auth = (token: string) => ({ type: "auth", token });

/** Answers with what it knows of itself. */
class Mirror extends JsonWebsocketConsumer<MaybeAuthenticated<Member>> {
  override receiveJson(content: unknown) {
    const { user, grant } = this.scope;
    return this.sendJson({ content, name: user.isAuthenticated ? user.name : null, token: grant?.tokenId ?? null });
  }
}

async function ask(client: WebsocketCommunicator, content: unknown): Promise<unknown> {
  client.sendJsonTo(content);
  return client.receiveJsonFrom();
}

const schema: StandardSchemaV1<unknown, "hello"> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (value === "hello" ? { value } : { issues: [{ message: "expected hello" }] }),
  },
};

describe("a JSON consumer", () => {
  test("renews the credential of its client, and has the new user and grant from then on", async () => {
    const { clock, open } = world();
    const client = await open(asApp(Mirror), "short");
    expect(await ask(client, 1)).toEqual({ content: 1, name: "Ada", token: "id-short" });
    expect(await ask(client, auth("long"))).toEqual({ type: "authenticated", expires_in: 3_600 });
    await clock.advance(1_000);
    expect(await ask(client, 2)).toEqual({ content: 2, name: "Countess", token: "id-long" });
    expect(await ask(client, auth("endless"))).toEqual({ type: "authenticated" });
    expect(await ask(client, 3)).toEqual({ content: 3, name: "Ada", token: "id-endless" });
  });

  test("makes an anonymous client a user, once", async () => {
    const { leases, open } = world();
    const client = await open(asApp(Mirror));
    expect(await ask(client, 1)).toEqual({ content: 1, name: null, token: null });
    expect(await ask(client, auth("other"))).toEqual({ type: "authenticated" });
    expect(await ask(client, 2)).toEqual({ content: 2, name: "Bob", token: "id-other" });
    expect(await ask(client, auth("long"))).toMatchObject({ type: "error", code: "user_mismatch" });
    expect(await ask(client, 3)).toEqual({ content: 3, name: "Bob", token: "id-other" });
    await leases.revokeUser("bob", "disabled");
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "disabled" });
  });

  test.each([
    ["forged", "invalid_token", "Invalid token."],
    ["other", "user_mismatch", "Expected a token of the same user."],
  ])("answers the token %s with an error, and all is as before", async (token, code, message) => {
    const { clock, open } = world();
    const client = await open(asApp(Mirror), "short");
    expect(await ask(client, auth(token))).toEqual({ type: "error", code, message });
    expect(await ask(client, 1)).toEqual({ content: 1, name: "Ada", token: "id-short" });
    await clock.advance(1_000);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
    expect(client.logger.lines).toEqual([]);
  });

  test("says that a verifier cannot work, and logs why", async () => {
    let down = false;
    const error = new Error("the store is down");
    const { logger, open } = world(async (token) => {
      if (down) throw error;
      return grants[token];
    });
    const client = await open(asApp(Mirror, { logger }), "short");
    down = true;
    expect(await ask(client, auth("long"))).toEqual({
      type: "error",
      code: "temporarily_unavailable",
      message: "Tokens cannot be verified at the moment.",
    });
    expect(await ask(client, 1)).toMatchObject({ token: "id-short" });
    expect(logger.lines).toMatchObject([{ level: "error", message: "a credential could not be renewed" }]);
    expect(logger.errors).toMatchObject([{ cause: error }]);
  });

  test("asks neither its schema nor receiveJson about the token", async () => {
    class Strict extends JsonWebsocketConsumer<{}, {}, "hello"> {
      static readonly schema = schema;
      override receiveJson(content: "hello") {
        return this.sendJson(content);
      }
    }
    const { open } = world();
    const client = await open(asApp(Strict), "short");
    expect(await ask(client, auth("long"))).toMatchObject({ type: "authenticated" });
    expect(await ask(client, "hello")).toBe("hello");
    // Not a token, and so none of the library's business.
    for (const content of [{ type: "auth" }, { type: "auth", token: 1 }, { token: "long" }, [auth("long")], null]) {
      expect(await ask(client, content)).toMatchObject({ code: "bad_message" });
    }
  });

  test("takes such a message as any other where there is no TokenAuth", async () => {
    const app = asApp(Mirror);
    for (const user of [ada, { isAuthenticated: false, id: undefined, username: "" } as const]) {
      const client = new WebsocketCommunicator(app, "/", { scope: { user, grant: undefined } });
      await client.connect();
      expect(await ask(client, auth("long"))).toMatchObject({ content: auth("long") });
    }
  });

  test("handles nothing else while a token is verified", async () => {
    const answers: (() => void)[] = [];
    const { layer, open } = world((token) =>
      token === "short" ? grants[token] : new Promise((resolve) => answers.push(() => resolve(grants[token]))),
    );
    class Listening extends Mirror {
      static readonly handlers = ["said"] as const;
      override readonly groups = ["all"];
      said() {
        return this.receiveJson("said");
      }
    }
    const client = await open(asApp(Listening, { layer }), "short");
    client.sendJsonTo(auth("long"));
    client.sendJsonTo(auth("endless"));
    client.sendJsonTo("a");
    await layer.groupSend("all", { type: "said" });
    expect(await client.receiveNothing(0)).toBe(true);
    expect(answers).toHaveLength(1);
    answers[0]?.();
    expect(await client.receiveJsonFrom()).toMatchObject({ type: "authenticated", expires_in: 3_600 });
    expect(await client.receiveJsonFrom()).toMatchObject({ content: "said", token: "id-long" });
    answers[1]?.();
    expect(await client.receiveJsonFrom()).toEqual({ type: "authenticated" });
    expect(await client.receiveJsonFrom()).toMatchObject({ content: "a", token: "id-endless" });
  });

  test("says nothing any more where its lease ends while a token is verified", async () => {
    let answer = (): void => {};
    const { clock, leases, open } = world((token) =>
      token === "short"
        ? grants[token]
        : new Promise((resolve) => {
            answer = () => resolve(grants[token]);
          }),
    );
    const closed: string[] = [];
    class Closing extends Mirror {
      override disconnect(code: number, reason: string) {
        closed.push(`${code} ${reason}`);
      }
    }
    const client = await open(asApp(Closing), "short");
    client.sendJsonTo(auth("long"));
    await clock.advance(1_000);
    expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
    answer();
    await client.disconnect();
    expect([closed, leases.size, client.logger.lines]).toEqual([["4401 expired"], 0, []]);
  });

  test("may take a token from another message, answer otherwise, or renew nothing", async () => {
    class Own extends Mirror {
      protected override tokenIn(content: unknown): string | undefined {
        return Array.isArray(content) && typeof content[0] === "string" ? content[0] : undefined;
      }
      protected override async receiveToken(token: string) {
        const { grant } = await this.renew(token);
        await this.sendJson(["renewed", grant.user.username]);
      }
      override refused({ error }: Refusal) {
        return this.sendJson(["refused", error]);
      }
    }
    class Never extends Mirror {
      protected override tokenIn() {
        return undefined;
      }
    }
    const { open } = world();
    const own = await open(asApp(Own), "short");
    expect(await ask(own, ["long"])).toEqual(["renewed", "ada"]);
    expect(await ask(own, ["forged"])).toEqual(["refused", "invalid_token"]);
    expect(await ask(own, auth("long"))).toEqual({ content: auth("long"), name: "Countess", token: "id-long" });
    const never = await open(asApp(Never), "short");
    expect(await ask(never, auth("long"))).toEqual({ content: auth("long"), name: "Ada", token: "id-short" });
  });
});

describe("where middleware further in has put a user into the scope", () => {
  test("who is the same, known better, that one stays, and the grant is renewed", async () => {
    const better = provide(({ user }: { user: Member | AnonymousUser }) => ({
      user: { ...user, name: "Lady Lovelace" },
    }));
    const { leases, open } = world();
    const client = await open(better(asApp(Mirror)) as Inner, "short");
    expect(await ask(client, auth("long"))).toMatchObject({ type: "authenticated" });
    expect(await ask(client, 1)).toEqual({ content: 1, name: "Lady Lovelace", token: "id-long" });
    expect(leases.leasesOf("ada")).toMatchObject([{ tokenId: "id-long" }]);
  });

  test.each([
    ["another", "short", bob],
    ["somebody in place of nobody", undefined, bob],
    ["nobody of its own", undefined, { isAuthenticated: false, id: undefined, username: "" } as const],
  ])("who is %s, there is nothing to renew", async (_, token, user) => {
    const { leases, open } = world();
    const client = await open(provide(() => ({ user }))(asApp(Mirror)) as Inner, token);
    expect(await ask(client, auth("long"))).toMatchObject({ content: auth("long") });
    expect(leases.leasesOf("ada")).toHaveLength(token === undefined ? 0 : 1);
  });

  test("and more into the scope, that stays", async () => {
    class Services extends JsonWebsocketConsumer<MaybeAuthenticated<Member> & { services: { count: number } }> {
      override receiveJson() {
        return this.sendJson([this.scope.services.count, this.scope.path, this.scope.grant?.tokenId]);
      }
    }
    const services = provide(() => ({ services: { count: 7 } }));
    const { open } = world();
    const client = await open(services(asApp(Services)), "short");
    await ask(client, auth("long"));
    expect(await ask(client, 1)).toEqual([7, "/", "id-long"]);
  });
});

describe("the groups of a consumer", () => {
  class Staff extends JsonWebsocketConsumer<MaybeAuthenticated<Member>, { said: { group: string } }> {
    static readonly handlers = ["said"] as const;
    override readonly groups = ["all", "admin.one"];
    override async receiveJson(group: unknown) {
      await this.channelLayer.groupAdd(String(group), this.channelName);
      await this.sendJson(this.scope.grant?.scopes);
    }
    override allowsGroup(group: string) {
      return !group.startsWith("admin.") || (this.scope.grant?.scopes?.includes("admin") ?? false);
    }
    said({ group }: { group: string }) {
      return this.sendJson(group);
    }
  }
  const everywhere = async (layer: InMemoryChannelLayer): Promise<void> => {
    for (const group of ["admin.one", "admin.two", "all"]) await layer.groupSend(group, { type: "said", group });
  };

  test("are left before the answer where the new grant does not allow them, however they were joined", async () => {
    const { layer, open } = world();
    const client = await open(asApp(Staff, { layer }), "short");
    await ask(client, "admin.two");
    await everywhere(layer);
    for (const group of ["admin.one", "admin.two", "all"]) expect(await client.receiveJsonFrom()).toBe(group);
    expect(layer.counts.groups).toBe(4);
    expect(await ask(client, auth("long"))).toMatchObject({ type: "authenticated" });
    expect(layer.counts.groups).toBe(2);
    await everywhere(layer);
    expect(await client.receiveJsonFrom()).toBe("all");
    expect(await client.receiveNothing(0)).toBe(true);
  });

  test("are kept where the renewal is refused, and all of them where nothing is said", async () => {
    class Anybody extends Staff {
      override allowsGroup = JsonWebsocketConsumer.prototype.allowsGroup;
    }
    for (const [app, token, type] of [
      [Staff, "forged", "error"],
      [Anybody, "long", "authenticated"],
    ] as const) {
      const { layer, open } = world();
      const client = await open(asApp(app, { layer }), "short");
      expect(await ask(client, auth(token))).toMatchObject({ type });
      await everywhere(layer);
      for (const group of ["admin.one", "all"]) expect(await client.receiveJsonFrom()).toBe(group);
    }
  });

  test("end the connection with one that it cannot leave", async () => {
    const { layer, open } = world();
    layer.groupDiscard = () => Promise.reject(new Error("as asked"));
    const client = await open(asApp(Staff, { layer }), "short");
    client.sendJsonTo(auth("long"));
    await expect(client.receiveJsonFrom()).rejects.toThrow('got close 1011 "internal error"');
    await client.disconnect().catch(() => {});
    expect(layer.counts.groups).toBe(1);
  });
});

describe("a consumer of its own protocol", () => {
  class Plain extends WebsocketConsumer<MaybeAuthenticated<Member>> {
    override async receive(data: string | Uint8Array) {
      const { grant, expiresIn }: Renewed = await this.renew(String(data));
      await this.send(`${grant.tokenId} ${expiresIn} ${this.scope.grant?.tokenId}`);
    }
  }

  test("renews by a method, and is closed where the refusal is nobody's to answer", async () => {
    const { open } = world();
    for (const [token, close] of [
      ["forged", { code: 4401, reason: "Invalid token." }],
      ["other", { code: 4403, reason: "Expected a token of the same user." }],
    ] as const) {
      const client = await open(asApp(Plain), "short");
      client.sendTo("long");
      expect(await client.receiveFrom()).toBe("id-long 3600 id-long");
      client.sendTo(token);
      expect(await client.receiveClose()).toEqual(close);
      await client.disconnect();
      expect(client.logger.lines).toEqual([]);
    }
  });

  test("may answer a refusal itself", async () => {
    class Answering extends Plain {
      override async receive(data: string | Uint8Array) {
        try {
          await super.receive(data);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          await this.send(`${error.error}: ${error.detail}`);
        }
      }
    }
    const { open } = world();
    const client = await open(asApp(Answering), "short");
    client.sendTo("forged");
    expect(await client.receiveFrom()).toBe("invalid_token: Invalid token.");
    client.sendTo("long");
    expect(await client.receiveFrom()).toBe("id-long 3600 id-long");
  });

  test("has nothing to renew outside of TokenAuth, and is told so", async () => {
    const app = asApp(Plain);
    const client = new WebsocketCommunicator(app, "/", { scope: { user: ada, grant: undefined } });
    await client.connect();
    client.sendTo("long");
    await expect(client.receiveFrom()).rejects.toThrow(
      "ConfigurationError: expected Plain to stand inside of TokenAuth, whose user it has, to renew a credential",
    );
  });
});
