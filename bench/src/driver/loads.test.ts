import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { plain } from "../servers/dialect.js";
import { answerTimeLimit } from "./connection.js";
import { ExchangeLoad } from "./exchange-load.js";
import { binaryEcho, jsonEcho, textEcho } from "./exchanges.js";
import { opcode, serverFrame } from "./frame.js";
import { checkGate } from "./gate.js";
import { HandshakeLoad } from "./handshake-load.js";
import type { Outcome } from "./load.js";
import { ReconnectLoad } from "./reconnect-load.js";
import { RefusalLoad } from "./refusal-load.js";
import { closing, echo, echoOf, framesIn, play, secret, serve, upgrade, visit } from "./test-server.js";

describe("handshakes", () => {
  const shake = (port: number, units = 5): Promise<Outcome> => play(new HandshakeLoad(visit(port, { units })));

  test("each comes with a token of its own, on a path of the site and from its origin", async () => {
    const heads: string[] = [];
    const port = await serve({
      handshake(socket, head) {
        heads.push(head);
        upgrade(socket, head);
      },
    });
    expect(await shake(port, 40)).toEqual({ units: 40, lost: 0 });
    expect(new Set(heads.map((head) => /^GET \/ws\/echo\/\?token=([\w.-]+) HTTP/.exec(head)?.[1]))).toHaveLength(40);
    expect(new Set(heads.map((head) => /^Sec-WebSocket-Key: (.*)$/m.exec(head)?.[1]))).toHaveLength(40);
    expect(heads[0]).toContain("\r\nOrigin: https://chat.example\r\n");
  });

  test.runIf(process.platform === "linux")("clients come from many addresses", async () => {
    const addresses = new Set<string | undefined>();
    const port = await serve({
      handshake(socket, head) {
        addresses.add(socket.remoteAddress);
        upgrade(socket, head);
      },
    });
    await shake(port, 40);
    expect(addresses.size).toBe(40);
  });

  test("of who comes again: each token comes a second time when the first connections have gone", async () => {
    const came: (string | undefined)[] = [];
    const port = await serve({
      handshake(socket, head) {
        came.push(/token=([\w.-]+)/.exec(head)?.[1]);
        upgrade(socket, head);
      },
    });
    const load = new ReconnectLoad(visit(port, { units: 40 }));
    await load.prepare();
    const before = came.splice(0);
    expect([before.length, new Set(before).size]).toEqual([40, 40]);
    await load.run();
    expect([...came].sort()).toEqual([...before].sort());
    expect(await load.finish()).toEqual({ units: 40, lost: 0 });
  });

  test("a refusal is reported with its status, and the token is not", async () => {
    const port = await serve({ handshake: (socket) => socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n") });
    const message = 'expected status 101 in answer to a handshake, got "HTTP/1.1 401 Unauthorized"';
    await expect(shake(port)).rejects.toThrow(new Error(message));
  });

  test("a 101 to another key is wrong", async () => {
    const port = await serve({
      handshake: (socket) => upgrade(socket, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    });
    await expect(shake(port)).rejects.toThrow(
      /^expected Sec-WebSocket-Accept: "[^"]{28}", got "s3pPLMBiTxaQ9kYGzzhZRbK\+xOo="$/,
    );
  });

  test("bytes behind the 101 are wrong", async () => {
    const port = await serve({
      handshake(socket, head) {
        socket.cork();
        upgrade(socket, head);
        socket.write("hello");
        socket.uncork();
      },
    });
    await expect(shake(port)).rejects.toThrow('expected nothing behind the opening of a WebSocket, got "hello"');
  });

  test("a server that ends the connection instead is reported", async () => {
    const port = await serve({ handshake: (socket) => socket.end("HTTP/1.1 101 ") });
    await expect(shake(port)).rejects.toThrow(
      'expected a 101 in answer to a handshake, got "HTTP/1.1 101 ", then the end of the connection',
    );
  });

  test("a port where nobody listens is reported", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    await expect(shake(port)).rejects.toThrow(
      `expected a TCP connection to port ${port}, got nothing, then ECONNREFUSED`,
    );
  });

  test("three WebSockets that the server closes by itself are counted, a fourth is a failure", async () => {
    expect(await shake(await serve(closing(3)))).toEqual({ units: 5, lost: 3 });
    await expect(shake(await serve(closing(4)))).rejects.toThrow("4 WebSockets were lost, the last one so: expected ");
  });

  test("a close frame that is not returned as it should be is a failure", async () => {
    const port = await serve({ frames: (socket) => socket.write(Buffer.from("880203e9", "hex")) });
    await expect(shake(port)).rejects.toThrow("expected a close frame in return, number 1 being");
  });
});

describe("echoes", () => {
  const units = 16 * 64;
  const talk = (port: number): Promise<Outcome> => play(new ExchangeLoad(visit(port, { units }), textEcho(plain)));

  test("units are whole bursts on every connection", async () => {
    let messages = 0;
    const port = await serve({
      frames(socket, bytes) {
        const answer = echoOf(bytes);
        if (answer.readUInt8(0) === 0x81) messages += answer.length / 68;
        socket.write(answer);
      },
    });
    const load = new ExchangeLoad(visit(port, { units: units + 1 }), textEcho(plain));
    expect(await play(load)).toEqual({ units: 2 * units, lost: 0 });
    // Before they are counted, each WebSocket has shown with one burst that it works.
    expect(messages).toBe(units + 2 * units);
  });

  test("one wrong character in one echo is reported", async () => {
    const port = await serve({
      frames(socket, bytes) {
        const answer = echoOf(bytes);
        answer.write("!", 68 * 9 + 67);
        socket.write(answer);
      },
    });
    await expect(talk(port)).rejects.toThrow(
      /^expected the echo of 64 messages, number 10 being ".*\\"number\\":000009,.*}", got ".*\\"number\\":000009,.*!"$/,
    );
  });

  test("two echoes in each other's place are wrong", async () => {
    const port = await serve({
      frames(socket, bytes) {
        const answer = echoOf(bytes);
        socket.write(Buffer.concat([answer.subarray(68, 136), answer.subarray(0, 68), answer.subarray(136)]));
      },
    });
    await expect(talk(port)).rejects.toThrow(/number 1 being .*:000000,.* got .*:000001,/);
  });

  test("an echo too many is wrong", async () => {
    const port = await serve({
      frames: (socket, bytes) => socket.write(Buffer.concat([echoOf(bytes), Buffer.alloc(1)])),
    });
    await expect(talk(port)).rejects.toThrow("expected the echo of 64 messages and nothing more, got 1 bytes more");
  });

  test("three WebSockets that are lost at once are replaced, a fourth is a failure", async () => {
    expect(await talk(await serve(closing(3)))).toMatchObject({ lost: 3 });
    await expect(talk(await serve(closing(4)))).rejects.toThrow("4 WebSockets were lost, the last one so: expected ");
  });

  test("a server that dies in the middle is reported", async () => {
    let bursts = 0;
    const port = await serve({
      frames(socket, bytes) {
        bursts++;
        if (bursts <= 16) return echo(socket, bytes);
        socket.end(echoOf(bytes).subarray(0, 100));
      },
    });
    await expect(talk(port)).rejects.toThrow(
      "expected the echo of 64 messages, got 100 of 4352 bytes, then the end of the connection",
    );
  });
});

describe("other exchanges", () => {
  test("JSON is answered by JSON with a type and a number of its own", async () => {
    const heard = new Set<string>();
    const port = await serve({
      frames(socket, bytes) {
        const answers = framesIn(bytes).map(({ code, payload }) => {
          if (code !== opcode.text) return serverFrame(code, payload);
          const { type, n, text } = JSON.parse(payload.toString()) as Record<string, unknown>;
          heard.add(`${type}`);
          return serverFrame(code, Buffer.from(JSON.stringify({ type: "echoed", n, text })));
        });
        socket.write(Buffer.concat(answers));
      },
    });
    const units = 16 * 64;
    expect(await play(new ExchangeLoad(visit(port, { units }), jsonEcho(plain)))).toEqual({ units, lost: 0 });
    expect([...heard]).toEqual(["echo"]);
  });

  test("an object that comes back as it was is wrong", async () => {
    const port = await serve({});
    await expect(play(new ExchangeLoad(visit(port), jsonEcho(plain)))).rejects.toThrow(
      /^expected the answers to 64 objects, number 1 being ".*\\"echoed\\".*", got ".*\\"echo\\"/,
    );
  });

  test("binary messages of 64 KiB come back, and one wrong byte of them is found", async () => {
    let wrong = false;
    const serveBinary = (): Promise<number> => {
      const came = new Map<Socket, Buffer>();
      return serve({
        frames(socket, bytes) {
          const all = Buffer.concat([came.get(socket) ?? Buffer.alloc(0), bytes]);
          const isWhole = all.length < 100 || all.length === 4 * (64 * 1024 + 14);
          came.set(socket, isWhole ? Buffer.alloc(0) : all);
          if (!isWhole) return;
          const answer = echoOf(all);
          if (wrong) answer[answer.length - 1] = 0;
          socket.write(answer);
        },
      });
    };
    const talk = async (): Promise<Outcome> => play(new ExchangeLoad(visit(await serveBinary()), binaryEcho()));
    expect(await talk()).toEqual({ units: 64, lost: 0 });
    wrong = true;
    await expect(talk()).rejects.toThrow("expected the echo of 4 binary messages, number 4 being");
  });
});

describe("refusals", () => {
  test("of an origin the status is 403", async () => {
    const origins = new Set<string | undefined>();
    const port = await serve({
      handshake(socket, head) {
        origins.add(/^Origin: (.*)$/m.exec(head)?.[1]?.trim());
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      },
    });
    expect(await play(new RefusalLoad(visit(port, { units: 3 }), "origin"))).toEqual({ units: 3, lost: 0 });
    expect([...origins]).toEqual(["https://chat.example.evil.example"]);
  });

  test("the connections stay until it is over, as those do that are accepted", async () => {
    let open = 0;
    const port = await serve({
      handshake(socket) {
        open += 1;
        socket.once("close", () => {
          open -= 1;
        });
        socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      },
    });
    const load = new RefusalLoad(visit(port, { units: 3 }), "origin");
    await load.prepare();
    await load.run();
    // Time enough to notice one that has ended.
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(open).toBe(3);
    await load.finish();
    await expect.poll(() => open).toBe(0);
  });

  test("of a token no 101 will do", async () => {
    const port = await serve({});
    await expect(play(new RefusalLoad(visit(port), "token"))).rejects.toThrow(
      'expected status 401 in answer to a handshake with a forged token, got "HTTP/1.1 101',
    );
  });
});

describe("slow servers", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** A promise that a server settles when it has been asked, so that the time can go on. */
  function signal(): { readonly given: Promise<void>; give(): void } {
    let give = (): void => {};
    const given = new Promise<void>((resolve) => {
      give = resolve;
    });
    return { given, give: () => give() };
  }

  test("a handshake that is not answered in time is a failure", async () => {
    const asked = signal();
    const port = await serve({ handshake: asked.give });
    const result = expect(play(new HandshakeLoad(visit(port)))).rejects.toThrow(
      `expected a 101 in answer to a handshake within ${answerTimeLimit} ms, got nothing`,
    );
    await asked.given;
    vi.advanceTimersByTime(answerTimeLimit);
    await result;
  });

  test("an echo that does not come in time is a failure", async () => {
    const asked = signal();
    const port = await serve({ frames: asked.give });
    const result = expect(play(new ExchangeLoad(visit(port), textEcho(plain)))).rejects.toThrow(
      `expected the echo of 64 messages within ${answerTimeLimit} ms, got 0 of 4352 bytes`,
    );
    await asked.given;
    vi.advanceTimersByTime(answerTimeLimit);
    await result;
  });
});

describe("the gate", () => {
  const respond = (socket: Socket, status: string): void => {
    socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
  };
  const verifier = new JwtTokens({
    keys: { current: secret },
    issuer: "https://chat.example",
    audience: "chat",
    clock: systemClock,
  });

  /** Refuses whom it must, except for what `overlooks` names. */
  const guarded = (overlooks?: "origin" | "token"): Promise<number> =>
    serve({
      async handshake(socket, head) {
        const origin = /^Origin: (.*)$/m.exec(head)?.[1];
        const token = /\?token=([\w.-]+)/.exec(head)?.[1];
        if (origin !== "https://chat.example" && overlooks !== "origin") return respond(socket, "403 Forbidden");
        const good = token !== undefined && (overlooks === "token" || (await verifier.verify(token)) !== undefined);
        return good ? upgrade(socket, head) : respond(socket, "401 Unauthorized");
      },
    });

  test("a server that refuses whom it must passes", async () => {
    await expect(checkGate(visit(await guarded()))).resolves.toBeUndefined();
  });

  test("a server that does not look at the origin is found out", async () => {
    await expect(checkGate(visit(await guarded("origin")))).rejects.toThrow(
      'expected status 403 in answer to a handshake with a foreign origin, got "HTTP/1.1 101 Switching Protocols"',
    );
  });

  test("a server that does not verify tokens is found out", async () => {
    await expect(checkGate(visit(await guarded("token")))).rejects.toThrow(
      'expected status 401 in answer to a handshake with a forged token, got "HTTP/1.1 101 Switching Protocols"',
    );
  });
});
