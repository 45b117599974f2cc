import type { Address, App, ConnectionScope } from "@sluice/core";
import { header } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { answering } from "./applications.js";
import { deferred } from "./deferred.js";
import { start, type TransportContract } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { handshake, request } from "./request-text.js";

/** What a scope says of who asked, and for what. */
interface Seen {
  readonly client: Address | undefined;
  readonly scheme: string;
  readonly host: string | undefined;
}

const seenOf = (scope: ConnectionScope & { readonly scheme: string }): Seen => ({
  client: scope.client,
  scheme: scope.scheme,
  host: header(scope, "host"),
});

export function proxies(contract: TransportContract): void {
  const ways = [
    ["X-Forwarded-*", ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example"]],
    ["Forwarded", ['Forwarded: for=203.0.113.9;proto=https;host="a.example"']],
  ] as const;

  const applications = (
    seen: (scope: Seen) => void,
  ): { readonly http: App<"http">; readonly websocket: App<"websocket"> } => ({
    http: (scope, receive, send) => {
      seen(seenOf(scope));
      return answering("")(scope, receive, send);
    },
    websocket: async (scope, receive, send) => {
      seen(seenOf(scope));
      await send({ type: "websocket.accept" });
      await receive.pipe(() => {});
    },
  });

  describe.each([
    ["HTTP", (lines: readonly string[]) => request("GET", "/", lines), "http", "https"],
    ["WebSocket", (lines: readonly string[]) => handshake("/", { lines }), "ws", "wss"],
  ] as const)("on %s", (_protocol, bytes, plain, secure) => {
    test.each(ways)("that are trusted say in %s who the client is", async (_way, lines) => {
      const seen = deferred<Seen>();
      const { port } = await start(contract, applications(seen.resolve), { trustedProxies: ["127.0.0.1"] });
      await RawClient.send(port, bytes(lines));
      expect(await seen.promise).toEqual({
        client: { host: "203.0.113.9", port: undefined },
        scheme: secure,
        host: "a.example",
      });
    });

    test.each([
      ["no one", []],
      ["others", ["10.0.0.0/8", "::1"]],
    ])("are not believed where %s is trusted", async (_who, trustedProxies) => {
      const seen = deferred<Seen>();
      const { port } = await start(contract, applications(seen.resolve), { trustedProxies });
      await RawClient.send(port, bytes([...ways[0][1], ...ways[1][1]]));
      expect(await seen.promise).toMatchObject({
        client: { host: "127.0.0.1" },
        scheme: plain,
        host: "test.example",
      });
    });

    test.each([
      ["contradict each other", ["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.8"]],
      ["do not both say all of it", ["X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9;proto=https"]],
    ])("of two kinds that %s are answered 400 before the application runs", async (_what, lines) => {
      let called = false;
      const { port } = await start(
        contract,
        applications(() => {
          called = true;
        }),
        { trustedProxies: ["127.0.0.1"] },
      );
      const client = await RawClient.send(port, bytes(lines));
      expect((await client.response()).status).toBe(400);
      expect(called).toBe(false);
    });
  });
}
