import { HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import type { App } from "../app.js";
import type { MaybeAuthenticated } from "../auth/authenticated.js";
import { anonymousUser, type User } from "../auth/user.js";
import { Refusal } from "../auth/verdict.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import type { Grant } from "../ports/token-verifier.js";
import { asApp } from "./as-app.js";
import { HttpConsumer } from "./http-consumer.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

const ada: User = { isAuthenticated: true, id: "ada", username: "ada" };
const grantOf = (scopes?: readonly string[]): Grant => ({
  user: ada,
  tokenId: "t1",
  expiresAt: undefined,
  ...(scopes === undefined ? {} : { scopes }),
});
/** Of a token with these scopes, of one that does not say, or of nobody. */
const scopeOf = (scopes: readonly string[] | "unsaid" | "anonymous"): MaybeAuthenticated => {
  if (scopes === "anonymous") return { user: anonymousUser, grant: undefined };
  return { user: ada, grant: grantOf(scopes === "unsaid" ? undefined : scopes) };
};

const missing = "Authentication credentials were not provided.";
const insufficient = "You do not have permission to perform this action.";
const notAuthenticated = { type: "error", code: "not_authenticated", message: missing };
const insufficientScope = { type: "error", code: "insufficient_scope", message: insufficient, scope: "chat:write" };

class Json extends JsonWebsocketConsumer<MaybeAuthenticated, { said: {} }> {
  static readonly handlers = ["said"] as const;
  override readonly groups = ["room"];
  override receiveJson(content: unknown) {
    if (content === "me") return this.sendJson(this.requireUser().username);
    if (content === "write") return this.sendJson(this.requireScope("chat:write").tokenId);
    if (content === "later") return this.#later();
    return this.sendJson(content);
  }
  said() {
    return this.sendJson(`said to ${this.requireUser().username}`);
  }
  async #later() {
    await Promise.resolve();
    await this.sendJson(this.requireScope("chat:write", "chat:read").tokenId);
  }
}

function open(scope: MaybeAuthenticated, layer = new InMemoryChannelLayer()): Promise<WebsocketCommunicator> {
  return openApp(asApp(Json, { layer }), scope);
}

async function openApp(
  app: App<"websocket", MaybeAuthenticated>,
  scope: MaybeAuthenticated,
): Promise<WebsocketCommunicator> {
  const client = new WebsocketCommunicator(app, "/", { scope });
  expect(await client.connect()).toMatchObject({ connected: true });
  return client;
}

describe("what a method of a JSON consumer requires", () => {
  test.each([
    ["me", "anonymous", notAuthenticated],
    ["me", "unsaid", "ada"],
    ["write", "anonymous", notAuthenticated],
    ["write", "unsaid", insufficientScope],
    ["write", ["chat:writer", "chat"], insufficientScope],
    ["write", ["chat:read", "chat:write"], "t1"],
    ["later", "anonymous", notAuthenticated],
    ["later", ["chat:write"], { ...insufficientScope, scope: "chat:write chat:read" }],
    ["later", ["chat:read", "chat:write"], "t1"],
  ] as const)("%s, of %s, is answered in one frame, and the connection stays", async (content, scopes, answer) => {
    const client = await open(scopeOf(scopes));
    client.sendJsonTo(content);
    client.sendJsonTo("next");
    expect(await client.receiveJsonFrom()).toEqual(answer);
    expect(await client.receiveJsonFrom()).toBe("next");
    expect(client.logger.lines).toEqual([]);
  });

  test("is required of messages of the layer, too", async () => {
    for (const [scopes, answer] of [
      ["unsaid", "said to ada"],
      ["anonymous", notAuthenticated],
    ] as const) {
      const layer = new InMemoryChannelLayer();
      const client = await open(scopeOf(scopes), layer);
      await layer.groupSend("room", { type: "said" });
      await layer.groupSend("room", { type: "said" });
      expect(await client.receiveJsonFrom()).toEqual(answer);
      expect(await client.receiveJsonFrom()).toEqual(answer);
    }
  });

  test.each([
    ["at once", (check: () => void) => check()],
    [
      "later",
      async (check: () => void) => {
        await Promise.resolve();
        check();
      },
    ],
  ])("is an answer to the handshake before accept, and a frame after it: %s", async (_, call) => {
    const layer = new InMemoryChannelLayer();
    class Before extends Json {
      override connect() {
        return call(() => void this.requireScope("chat:write"));
      }
    }
    class After extends Json {
      override connect() {
        void this.accept();
        return call(() => void this.requireUser());
      }
    }
    const refusing = asApp(Before, { layer });
    const before = new WebsocketCommunicator(refusing, "/", { scope: scopeOf([]) });
    expect(await before.connect()).toMatchObject({
      status: 403,
      headers: expect.arrayContaining([["www-authenticate", 'Bearer error="insufficient_scope", scope="chat:write"']]),
    });
    await before.disconnect();
    const after = await openApp(asApp(After, { layer }), scopeOf("anonymous"));
    expect(await after.receiveJsonFrom()).toEqual(notAuthenticated);
    // It hears the layer all the same.
    await layer.groupSend("room", { type: "said" });
    expect(await after.receiveJsonFrom()).toEqual(notAuthenticated);
    await after.disconnect();
    expect([before.logger.lines, after.logger.lines, layer.counts.channels]).toEqual([[], [], 0]);
  });

  test("is nobody's to hear after the end", async () => {
    class Leaving extends Json {
      override async receiveJson() {
        await this.close(4000);
        this.requireUser();
      }
    }
    const layer = new InMemoryChannelLayer();
    const client = await openApp(asApp(Leaving, { layer }), scopeOf("anonymous"));
    client.sendJsonTo(1);
    expect(await client.receiveClose()).toEqual({ code: 4000, reason: "" });
    await client.disconnect();
    expect(client.logger.lines).toEqual([]);
  });

  test("must be something that a token can have", async () => {
    class Mistaken extends Json {
      override receiveJson() {
        this.requireScope("chat write");
      }
    }
    const client = await openApp(asApp(Mistaken, { layer: new InMemoryChannelLayer() }), scopeOf([]));
    client.sendJsonTo(1);
    await expect(client.receiveJsonFrom()).rejects.toThrow("expected the name of a scope");
  });
});

describe("what a method of another consumer requires", () => {
  class Plain extends WebsocketConsumer<MaybeAuthenticated> {
    override receive(data: string | Uint8Array) {
      return this.send(data === "me" ? this.requireUser().username : this.requireScope("chat:write").tokenId);
    }
  }

  test.each([
    ["me", "anonymous", { code: 4401, reason: missing }],
    ["write", "anonymous", { code: 4401, reason: missing }],
    ["write", [], { code: 4403, reason: insufficient }],
  ] as const)("%s, of %s, closes a WebSocket", async (content, scopes, close) => {
    const disconnects: unknown[] = [];
    class Closing extends Plain {
      override disconnect(code: number, reason: string) {
        disconnects.push({ code, reason });
      }
    }
    const client = await openApp(asApp(Closing), scopeOf(scopes));
    client.sendTo(content);
    expect(await client.receiveClose()).toEqual(close);
    await client.disconnect();
    expect([disconnects, client.logger.lines]).toEqual([[close], []]);
  });

  test("may be answered otherwise", async () => {
    class Answering extends Plain {
      override refused(refusal: Refusal) {
        return this.send(`${refusal.status} ${refusal.error} ${refusal.scope}`);
      }
    }
    const client = await openApp(asApp(Answering), scopeOf([]));
    client.sendTo("write");
    expect(await client.receiveFrom()).toBe("403 insufficient_scope chat:write");
    client.sendTo("me");
    expect(await client.receiveFrom()).toBe("ada");
  });

  test.each([
    ["anonymous", 401],
    [[], 403],
    [["chat:write"], 200],
  ] as const)("refuses a request of %s with %i", async (scopes, status) => {
    class Post extends HttpConsumer<MaybeAuthenticated> {
      handle() {
        return this.sendResponse(200, this.requireScope("chat:write").tokenId);
      }
    }
    const post = asApp(Post);
    const client = new HttpCommunicator(post, "POST", "/", { scope: scopeOf(scopes) });
    expect(await client.getResponse()).toMatchObject({ status });
    expect(client.logger.lines).toEqual([]);
  });

  test("is thrown as what applications can tell from other failures", () => {
    const refusals: unknown[] = [];
    class Catching extends Plain {
      override receive() {
        try {
          this.requireUser();
        } catch (error) {
          refusals.push(error);
        }
      }
    }
    const context = { scope: scopeOf("anonymous"), layer: undefined, channel: undefined } as never;
    new Catching(context).receive();
    expect(refusals).toEqual([expect.any(Refusal)]);
  });
});
