import { getEventListeners } from "node:events";
import { type App, DenyConnection, ProtocolTypeRouter } from "@sluice/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { tlsFiles } from "../src/contract/index.js";
import {
  FakeClock,
  faultyNetwork,
  type LiveAddress,
  type LiveServerOptions,
  liveServer,
  RecordingLogger,
  WebsocketCommunicator,
} from "../src/index.js";

const big = Buffer.alloc(16 * 1024 * 1024, "0123456789");

/** Does as the path says, on a WebSocket and over HTTP. */
const app: App = async (scope, receive, send) => {
  if (scope.type !== "http" && scope.type !== "websocket") return;
  if (scope.path === "/throw") throw new Error("boom");
  if (scope.path === "/silent") return receive.pipe(() => {});
  if (scope.path === "/stuck") return new Promise(() => {});
  if (scope.path === "/deny") throw new DenyConnection({ status: 401, headers: [["x-why", "no"]], body: "who?" });
  if (scope.type === "http") {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: scope.path === "/big" ? big : scope.path });
    return;
  }
  await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0], headers: [["x-a", "b"]] });
  await receive.pipe((event) => {
    if (event.type !== "websocket.receive") return undefined;
    if (event.text === "throw") throw new Error("boom");
    if (event.text === "close") return send({ type: "websocket.close", code: 4001, reason: "asked" });
    return event.text === undefined
      ? send({ type: "websocket.send", bytes: event.bytes })
      : send({ type: "websocket.send", text: event.text });
  });
};

const sendable = "expected a close code of 1000 to 1003, 1007 to 1014 or 3000 to 4999";

/** The tests of what the kit has for real sockets, which need a transport. */
export function liveServerTests(serve: LiveServerOptions["serve"]): void {
  describe("the verbs of a client", () => {
    it.each(["in the process", "on a live server"])("are the same %s", async (where) => {
      const server = where === "on a live server" ? await liveServer(app, { serve }) : undefined;
      onTestFinished(() => server?.close());
      const open = (path: string, options: { subprotocols?: string[]; expectErrors?: boolean } = {}) =>
        server?.websocket(path, options) ?? new WebsocketCommunicator(app, path, options);

      await using client = open("/", { subprotocols: ["chat"] });
      expect(await client.connect()).toMatchObject({ connected: true, subprotocol: "chat" });
      client.sendTo("text");
      expect(await client.receiveFrom()).toBe("text");
      client.sendTo(new Uint8Array([1, 2]));
      expect(await client.receiveFrom()).toEqual(new Uint8Array([1, 2]));
      client.sendJsonTo({ a: 1 });
      expect(await client.receiveJsonFrom()).toEqual({ a: 1 });
      expect(await client.receiveNothing(1)).toBe(true);
      client.sendTo("close");
      expect(await client.receiveClose()).toEqual({ code: 4001, reason: "asked" });
      await client.wait();

      expect(() => client.sendTo("late")).toThrow("expected an open connection to send on, but it has ended");
      await expect(client.disconnect(1005)).rejects.toThrow(new TypeError(`${sendable}, got 1005`));

      await using denied = open("/deny");
      expect(await denied.connect()).toMatchObject({ connected: false, status: 401, body: "who?" });

      const thrown = open("/throw");
      await expect(thrown.connect()).rejects.toMatchObject({ cause: new Error("boom") });
      await using failing = open("/");
      await failing.connect();
      failing.sendTo("throw");
      await expect(failing.receiveFrom()).rejects.toMatchObject({
        message: expect.stringContaining("the application failed: Error: boom"),
        cause: new Error("boom"),
      });

      const silent = open("/silent");
      await expect(silent.receiveNothing(1)).rejects.toThrow(
        "expected connect() to have been called before waiting for",
      );
      const unanswered = silent.connect(200);
      expect(() => silent.sendTo("early")).toThrow("expected an open connection to send on, but it is not open yet");
      await expect(unanswered).rejects.toThrow("the application is waiting in receive(); it has sent nothing");
      await silent.disconnect();
    });

    it.each(["in the process", "on a live server"])("take and give copies %s", async (where) => {
      const kept: Uint8Array[] = [];
      const keeping: App<"websocket"> = async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        const bytes = new Uint8Array([1]);
        await send({ type: "websocket.send", bytes });
        bytes[0] = 9;
        await receive.pipe((event) => {
          if (event.type === "websocket.receive" && event.bytes !== undefined) kept.push(event.bytes);
        });
      };
      const server =
        where === "on a live server"
          ? await liveServer(ProtocolTypeRouter({ websocket: keeping }), { serve })
          : undefined;
      onTestFinished(() => server?.close());
      await using client = server?.websocket("/") ?? new WebsocketCommunicator(keeping, "/");
      await client.connect();
      expect(await client.receiveFrom()).toEqual(new Uint8Array([1]));
      const bytes = new Uint8Array([2]);
      client.sendTo(bytes);
      bytes[0] = 9;
      await expect.poll(() => kept.map(([first]) => first)).toEqual([2]);
    });

    it("tell the application how it was left", async () => {
      const ends: unknown[] = [];
      const told: App<"websocket"> = async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => (event.type === "websocket.disconnect" ? void ends.push(event.code) : undefined));
      };
      await using server = await liveServer(ProtocolTypeRouter({ websocket: told }), { serve });
      for (const code of [1000, 4000, 1006]) await (await server.connect("/")).disconnect(code);
      expect(ends).toEqual([1000, 4000, 1006]);
    });
  });

  describe("liveServer", () => {
    it("is closed at the end of the block", async () => {
      let url = "";
      {
        await using server = await liveServer(app, { serve });
        url = server.url;
        expect(server.webSocketUrl).toBe(`ws://127.0.0.1:${server.port}`);
        await using client = await server.connect("/");
        expect(server.connections).toEqual({ http: 0, websocket: 1 });
        expect(server.counts.refused).toBe(0);
        expect(await (await server.fetch("/here")).text()).toBe("/here");
        client.sendTo("hi");
        expect(await client.receiveFrom()).toBe("hi");
      }
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    });

    it("rejects at its end with what the application failed with and nobody was told of", async () => {
      const server = await liveServer(app, { serve });
      const response = await fetch(`${server.url}/throw`);
      expect(response.status).toBe(500);
      await expect(server.close()).rejects.toMatchObject({
        message: expect.stringContaining("the application failed once: Error: boom"),
        errors: [new Error("boom")],
      });
    });

    it("keeps quiet about what was asked for, told or expected", async () => {
      const asked = await liveServer(app, { serve });
      await fetch(`${asked.url}/throw`);
      expect(asked.takeFailures()).toEqual([new Error("boom")]);
      await asked.close();
      const told = await liveServer(app, { serve });
      await expect(told.fetch("/throw")).rejects.toMatchObject({ cause: new Error("boom") });
      await expect(told.connect("/throw")).rejects.toMatchObject({ cause: new Error("boom") });
      await told.close();
      const expected = await liveServer(app, { serve, expectErrors: true });
      expect((await expected.fetch("/throw")).status).toBe(500);
      await expect(expected.connect("/throw")).rejects.toThrow("expected /throw to be accepted, got status 500");
      await expected.close();
    });

    it("does not take one connection's failure for another's", async () => {
      const server = await liveServer(app, { serve });
      await using well = await server.connect("/");
      await using failed = await server.connect("/");
      failed.sendTo("throw");
      expect(await failed.receiveClose()).toMatchObject({ code: 1011 });
      await well.disconnect();
      expect(await server.websocket("/deny").connect()).toMatchObject({ status: 401 });
      await expect(failed.wait()).rejects.toMatchObject({ cause: new Error("boom") });
      await server.close();
    });

    it("says why a client cannot connect, and no more after a refusal", async () => {
      const server = await liveServer(app, { serve });
      const refused = server.websocket("/deny");
      await refused.connect();
      await expect(refused.receiveFrom()).rejects.toThrow("but the handshake was refused with status 401");
      await server.close();
      await expect(server.connect("/")).rejects.toThrow("but the connection failed: connect ECONNREFUSED");
    });

    it("serves TLS, to clients that take the test's own certificate", async () => {
      const { key, cert } = await tlsFiles();
      await using server = await liveServer(app, { serve, tls: { key, cert } });
      expect(server.webSocketUrl).toMatch(/^wss:/);
      await using network = await faultyNetwork(server);
      await using client = await network.connect("/");
      client.sendTo("hi");
      expect(await client.receiveFrom()).toBe("hi");
    });

    it("hands the log on", async () => {
      const logger = new RecordingLogger();
      await using server = await liveServer(app, { serve, logger, expectErrors: true });
      await server.fetch("/throw");
      expect(logger.lines).toEqual(server.logger.lines);
      expect(logger.errors).toEqual([new Error("boom")]);
    });

    it("says what a silent application does", async () => {
      await using server = await liveServer(app, { serve });
      await expect(server.fetch("/silent", { signal: AbortSignal.abort(new Error("given up")) })).rejects.toThrow(
        "given up",
      );
      const quick = await liveServer(app, { serve, timeout: 300, deadline: 50 });
      await expect(quick.fetch("/stuck")).rejects.toThrow(
        "expected a response, got nothing within 300 ms; on http /stuck, the application has not called receive() yet",
      );
      // Told once is enough.
      await quick.close();
      const stuck = await liveServer(app, { serve, deadline: 50 });
      const answer = fetch(`${stuck.url}/stuck`);
      await expect.poll(() => stuck.connections.http).toBe(1);
      await expect(stuck.close()).rejects.toThrow(
        "expected the application to return within 50 ms of the server's close; on http /stuck, the application has",
      );
      expect((await answer).status).toBe(503);
    });

    it("names an application that does not return, although a verb has rejected on another connection", async () => {
      const server = await liveServer(app, { serve, timeout: 300, deadline: 50 });
      const client = await server.connect("/");
      await expect(client.receiveFrom(1)).rejects.toThrow("got nothing within 1 ms");
      const handshake = server.websocket("/stuck").connect(60_000);
      await expect.poll(() => server.connections.websocket).toBe(2);
      await expect(server.fetch("/stuck")).rejects.toThrow("got nothing within 300 ms");
      const response = fetch(`${server.url}/stuck`);
      await expect.poll(() => server.connections.http).toBe(2);
      const doing = "the application has not called receive() yet; it has sent nothing";
      await expect(server.close()).rejects.toThrow(
        `within 50 ms of the server's close; on websocket /stuck, ${doing}; on http /stuck, ${doing}`,
      );
      expect(await handshake).toMatchObject({ connected: false, status: 503 });
      expect((await response).status).toBe(503);
    });

    it("leaves nothing behind on a signal that is given to fetch, which still ends the body", async () => {
      await using server = await liveServer(app, { serve });
      const controller = new AbortController();
      const { signal } = controller;
      await (await server.fetch("/here", { signal })).text();
      expect(getEventListeners(signal, "abort")).toEqual([]);
      const big = await server.fetch("/big", { signal });
      controller.abort(new Error("given up"));
      await expect(big.text()).rejects.toThrow(/given up|operation was aborted/);
    });

    it("ends in time although the clock stands still", async () => {
      const server = await liveServer(app, { serve, deadline: 50, clock: new FakeClock() });
      const handshake = server.websocket("/stuck").connect(60_000);
      const response = fetch(`${server.url}/stuck`);
      await expect.poll(() => server.connections).toEqual({ http: 1, websocket: 1 });
      await expect(server.close()).rejects.toThrow("on websocket /stuck, the application has not called receive() yet");
      expect(await handshake).toMatchObject({ connected: false, status: 503 });
      expect((await response).status).toBe(503);
    });

    it("runs into time-outs as a fake clock says", async () => {
      const clock = new FakeClock();
      await using server = await liveServer(app, {
        serve,
        clock,
        limits: { handshakeTimeout: 5_000, maxLifetime: 60_000 },
      });
      const silent = server.websocket("/silent");
      const handshake = silent.connect();
      await expect.poll(() => server.connections.websocket).toBe(1);
      await clock.advance(5_000);
      expect(await handshake).toMatchObject({ connected: false, status: 504 });
      await using client = await server.connect("/");
      await clock.advance(60_000);
      expect(await client.receiveClose()).toMatchObject({ code: 4408 });
    });
  });

  describe("faultyNetwork", () => {
    const seen = (server: LiveAddress): Promise<string> => server.fetch("/through").then((response) => response.text());

    it("carries what it is given, and shows the server the same", async () => {
      await using server = await liveServer(app, { serve });
      await using network = await faultyNetwork(server);
      expect(network.port).not.toBe(server.port);
      expect(await seen(network)).toBe("/through");
      await using client = await network.connect("/");
      for (const size of [1, 100_000, 900_000]) {
        client.sendTo("x".repeat(size));
        expect(await client.receiveFrom()).toBe("x".repeat(size));
      }
      const response = await network.fetch("/big");
      // Until it is read, it stands in every buffer on its way.
      for (let turn = 0; turn < 20; turn += 1) expect(await seen(network)).toBe("/through");
      expect(big.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
      await expect(client.receiveFrom(1)).rejects.toThrow("the application is waiting in receive()");
    });

    it("cuts: both sides see 1006", async () => {
      const ends: number[] = [];
      const told: App<"websocket"> = async (_scope, receive, send) => {
        await send({ type: "websocket.accept" });
        await receive.pipe((event) => (event.type === "websocket.disconnect" ? void ends.push(event.code) : undefined));
      };
      await using server = await liveServer(ProtocolTypeRouter({ websocket: told }), { serve });
      await using network = await faultyNetwork(server);
      await using client = await network.connect("/");
      network.cut();
      expect(await client.receiveClose()).toEqual({ code: 1006, reason: "" });
      await client.wait();
      expect(ends).toEqual([1006]);
      await expect.poll(() => network.open).toBe(0);
      await using another = await network.connect("/");
      expect(await another.receiveNothing(1)).toBe(true);
    });

    it("freezes and thaws, and nothing is lost", async () => {
      await using server = await liveServer(app, { serve });
      await using network = await faultyNetwork(server);
      await using client = await network.connect("/");
      network.freeze();
      client.sendTo("held");
      expect(await client.receiveNothing(50)).toBe(true);
      network.thaw();
      expect(await client.receiveFrom()).toBe("held");
    });

    it("freezes what a delay has under way", async () => {
      const clock = new FakeClock();
      const paths: string[] = [];
      const noting: App = (scope, receive, send) => {
        if (scope.type === "http") paths.push(scope.path);
        return app(scope, receive, send);
      };
      await using server = await liveServer(noting, { serve });
      await using network = await faultyNetwork(server, { seed: 1, delay: 100, maxBytes: 0, maxDelay: 1_000, clock });
      const answer = seen(network);
      await expect.poll(() => clock.pending).toBe(1);
      network.freeze();
      await clock.advance(1_000);
      expect(clock.pending).toBe(0);
      // Whatever was sent before this one is there when it is.
      await server.fetch("/direct");
      expect(paths).toEqual(["/direct"]);
      network.thaw();
      await expect.poll(() => clock.pending).toBe(1);
      await clock.advance(1_000);
      expect(await answer).toBe("/through");
    });

    it("does as the seed says, again and again", async () => {
      await using server = await liveServer(app, { serve, deadline: 5_000 });
      const options = { seed: 7, drop: 25, delay: 25, slowReader: 25, maxDelay: 5, maxBytes: 400 };
      const run = async (): Promise<unknown[]> => {
        await using network = await faultyNetwork(server, options);
        const outcomes: unknown[] = [];
        for (let index = 0; index < 12; index += 1) {
          const outcome = await network.connect("/").then(
            async (client) => {
              client.sendTo("x".repeat(500));
              const answer = await client.receiveFrom().then(
                () => "echoed",
                () => "lost",
              );
              await client.disconnect();
              return answer;
            },
            () => "refused",
          );
          outcomes.push([outcome, network.faults.at(-1)]);
        }
        return outcomes;
      };
      const first = await run();
      expect(await run()).toEqual(first);
      const kinds = first.map((outcome) => (outcome as [string, { kind: string }])[1].kind);
      expect(new Set(kinds)).toEqual(new Set(["none", "drop", "delay", "slowReader"]));
      for (const outcome of first as [string, { kind: string }][]) {
        expect(outcome[0] === "echoed").toBe(outcome[1].kind !== "drop");
      }
    });

    it("swallows one direction of a half-open connection, and nobody is told", async () => {
      await using server = await liveServer(app, { serve });
      await using network = await faultyNetwork(server, { seed: 1, halfOpen: 100, maxBytes: 0 });
      const clients = [network.websocket("/"), network.websocket("/"), network.websocket("/"), network.websocket("/")];
      for (const client of clients) await expect(client.connect(20)).rejects.toThrow("got nothing within 20 ms");
      const directions = network.faults.map((fault) => fault.kind === "halfOpen" && fault.direction);
      expect(new Set(directions)).toEqual(new Set(["toServer", "toClient"]));
      const heard = directions.filter((direction) => direction === "toClient").length;
      await expect.poll(() => server.connections.websocket).toBe(heard);
      network.cut();
      for (const client of clients) await client.disconnect(1006);
    });

    it("lets a client read slowly, by a clock", async () => {
      const clock = new FakeClock();
      await using server = await liveServer(app, { serve });
      await using network = await faultyNetwork(server, { slowReader: 100, maxBytes: 0, maxDelay: 1_000, clock });
      // The handshake is the first piece.
      await using client = await network.connect("/");
      for (const text of ["one", "two"]) {
        client.sendTo(text);
        expect(await client.receiveNothing(20)).toBe(true);
        await clock.advance(1_000);
        expect(await client.receiveFrom()).toBe(text);
      }
    });

    it("delays by a clock", async () => {
      const clock = new FakeClock();
      await using server = await liveServer(app, { serve });
      await using network = await faultyNetwork(server, { seed: 1, delay: 100, maxBytes: 0, maxDelay: 1_000, clock });
      const answer = seen(network);
      await expect.poll(() => clock.pending).toBe(1);
      expect(server.connections.http).toBe(0);
      await clock.advance(1_000);
      await expect.poll(() => clock.pending).toBe(1);
      await clock.advance(1_000);
      expect(await answer).toBe("/through");
    });
  });
}
