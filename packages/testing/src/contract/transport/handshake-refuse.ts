import { type App, DenyConnection, ProtocolError, RouteNotFound } from "@sluice/core";
import { expect, test } from "vitest";
import { FakeClock } from "../../fake-clock.js";
import { acceptAndStay } from "./applications.js";
import { deferred } from "./deferred.js";
import { realIo, start, type TransportContract, testIfCapable } from "./harness.js";
import { headerLines, RawClient } from "./raw-client.js";
import { exampleKey, handshake } from "./request-text.js";

export function refusedHandshakes(contract: TransportContract): void {
  /** The answer to a handshake. */
  const answer = async (port: number, bytes: string): ReturnType<RawClient["response"]> =>
    (await RawClient.send(port, bytes)).response();

  test.each<[string, Parameters<typeof handshake>[1], number]>([
    ["another version", { version: ["8"] }, 426],
    ["no version", { version: [] }, 426],
    ["two versions", { version: ["13", "8"] }, 426],
    ["no key", { key: [] }, 400],
    ["a short key", { key: ["c2hvcnQ="] }, 400],
    ["a key that is not base64", { key: ["!!!!!!!!!!!!!!!!!!!!!!=="] }, 400],
    ["two keys", { key: [exampleKey, exampleKey] }, 400],
    ["a subprotocol that is no token", { lines: ["Sec-WebSocket-Protocol: a b"] }, 400],
  ])("answers %s with its status", async (_what, options, status) => {
    let called = false;
    const { port } = await start(contract, {
      websocket: () => {
        called = true;
      },
    });
    const response = await answer(port, handshake("/", options));
    expect(response.status).toBe(status);
    if (status === 426) expect(headerLines(response, "sec-websocket-version")).toEqual(["13"]);
    expect(called).toBe(false);
  });

  const refusesPath = async (path: string): Promise<void> => {
    const { port, server } = await start(contract, { websocket: acceptAndStay });
    expect((await answer(port, handshake(path))).status).toBe(400);
    expect(server.connections.websocket).toBe(0);
  };
  test('answers the path "/%ff" with 400', () => refusesPath("/%ff"));
  for (const path of ["/\xe9", "/caf\xc3\xa9", "/?q=\xe9"]) {
    testIfCapable(contract, "keepsTarget", `answers the path ${JSON.stringify(path)} with 400`, () =>
      refusesPath(path),
    );
  }

  test("does not open a WebSocket for another method, nor without an Upgrade header", async () => {
    let handshakesSeen = 0;
    const { port } = await start(contract, {
      websocket: () => {
        handshakesSeen += 1;
      },
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 418 });
        await send({ type: "http.response.body" });
      },
    });
    expect((await answer(port, handshake("/", { method: "POST" }))).status).toBeGreaterThanOrEqual(400);
    expect((await answer(port, handshake("/", { upgrade: [] }))).status).toBe(418);
    expect(handshakesSeen).toBe(0);
  });

  test("answers close() before accept with 403, and the application sees the end", async () => {
    const end = deferred<unknown>();
    const { port, server } = await start(contract, {
      websocket: async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.close", code: 4003 });
        end.resolve(await receive());
      },
    });
    expect((await answer(port, handshake("/"))).status).toBe(403);
    expect(await end.promise).toEqual({ type: "websocket.disconnect", code: 1006, reason: "" });
    expect(server.connections.websocket).toBe(0);
  });

  test.each(["at once", "later"])("answers DenyConnection thrown %s as it says", async (when) => {
    const { port, logger } = await start(contract, {
      websocket: async () => {
        if (when === "later") await realIo();
        throw new DenyConnection({
          status: 401,
          headers: [
            ["www-authenticate", "Token"],
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
          body: "who är you?",
        });
      },
    });
    const response = await answer(port, handshake("/"));
    expect(response.status).toBe(401);
    expect(headerLines(response, "www-authenticate")).toEqual(["Token"]);
    expect(headerLines(response, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(response.body.toString()).toBe("who är you?");
    expect(logger.errors).toEqual([]);
  });

  test("answers with the response that the application sends instead", async () => {
    const { port } = await start(contract, {
      websocket: async (_scope, _receive, send) => {
        await send({ type: "websocket.http.response.start", status: 302, headers: [["location", "/login"]] });
        await send({ type: "websocket.http.response.body", body: "over ", moreBody: true });
        await send({ type: "websocket.http.response.body", body: Buffer.from("there") });
      },
    });
    const response = await answer(port, handshake("/"));
    expect(response.status).toBe(302);
    expect(headerLines(response, "location")).toEqual(["/login"]);
    expect(response.body.toString()).toBe("over there");
  });

  test("answers 404 where no route fits", async () => {
    const { port, logger } = await start(contract, {
      websocket: () => {
        throw new RouteNotFound("no route fits");
      },
    });
    expect((await answer(port, handshake("/"))).status).toBe(404);
    expect(logger.errors).toEqual([]);
  });

  test("answers a throw with 500 that gives nothing away, and logs it", async () => {
    const failure = new Error("the secret");
    const { port, logger, server } = await start(contract, {
      websocket: () => {
        throw failure;
      },
    });
    const response = await answer(port, handshake("/"));
    expect(response.status).toBe(500);
    expect(response.body.toString()).not.toContain("secret");
    expect(logger.errors).toEqual([failure]);
    expect(server.connections.websocket).toBe(0);
  });

  test("answers 504 for an application that never does", async () => {
    const clock = new FakeClock();
    const called = deferred();
    const end = deferred<unknown>();
    const { port } = await start(
      contract,
      {
        websocket: async (_scope, receive) => {
          await receive();
          called.resolve();
          end.resolve(await receive());
        },
      },
      { clock, limits: { handshakeTimeout: 3_000 } },
    );
    const client = await RawClient.send(port, handshake("/"));
    await called.promise;
    await clock.advance(2_999);
    expect(client.received).toBe(0);
    await clock.advance(1);
    expect((await client.response()).status).toBe(504);
    expect(await end.promise).toMatchObject({ type: "websocket.disconnect", code: 1006 });
  });

  test.each<[string, Parameters<Parameters<App<"websocket">>[2]>[0], new (...rest: never[]) => Error]>([
    ["a subprotocol that was not offered", { type: "websocket.accept", subprotocol: "other" }, ProtocolError],
    ["a line break in a header", { type: "websocket.accept", headers: [["x-a", "b\r\nx-evil: 1"]] }, TypeError],
    ["a header name with a space", { type: "websocket.accept", headers: [["x a", "b"]] }, TypeError],
    [
      "a header of the handshake's own",
      { type: "websocket.accept", headers: [["Sec-WebSocket-Accept", "x"]] },
      ProtocolError,
    ],
    ["a message before accept", { type: "websocket.send", text: "early" }, ProtocolError],
  ])("throws for %s, and answers 500", async (_what, event, errorType) => {
    const thrown = deferred<unknown>();
    const { port } = await start(contract, {
      websocket: async (_scope, _receive, send) => {
        try {
          await send(event);
        } catch (error) {
          thrown.resolve(error);
          throw error;
        }
      },
    });
    const lines = ["Sec-WebSocket-Protocol: chat"];
    const response = await answer(port, handshake("/", { lines }));
    expect(response.status).toBe(500);
    expect(headerLines(response, "x-evil")).toEqual([]);
    expect(await thrown.promise).toBeInstanceOf(errorType);
  });

  testIfCapable(contract, "refusesControlBytes", "answers control bytes in a header with 400", async () => {
    const { port } = await start(contract, { websocket: acceptAndStay });
    expect((await answer(port, handshake("/", { lines: ["X-A: a\x01b"] }))).status).toBe(400);
  });
}
