import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { systemClock } from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { answerTimeLimit } from "./connection.js";
import { EchoLoad } from "./echo-load.js";
import { checkGate } from "./gate.js";
import { HandshakeLoad } from "./handshake-load.js";
import type { Load } from "./load.js";
import { ReconnectLoad } from "./reconnect-load.js";
import { Tokens } from "./tokens.js";

const secret = "a secret of more than thirty-two bytes";
const tokens = new Tokens(secret);

/** What a server does; what is left out it does right. */
interface Behaviour {
  /** Answers the head of a request. */
  handshake?(socket: Socket, head: string): unknown;
  /** Answers frames. */
  frames?(socket: Socket, bytes: Buffer): unknown;
}

/** A server that does what a test wants of it. Resolves with its port. */
async function serve({ handshake = upgrade, frames = echo }: Behaviour): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (head) => {
      void handshake(socket, head.toString("latin1"));
      socket.on("data", (bytes) => frames(socket, bytes));
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function upgrade(socket: Socket, head: string): void {
  const [, key] = /^sec-websocket-key: (.*)$/im.exec(head) ?? [];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

function echo(socket: Socket, bytes: Buffer): void {
  socket.write(echoOf(bytes));
}

/** Whole frames with short payloads come in, as nothing else is sent here; the same come out, without their masks. */
function echoOf(bytes: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt8(at + 1) & 0x7f;
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = bytes.subarray(at + 6, at + 6 + length);
    frames.push(Buffer.from([bytes.readUInt8(at), length]));
    frames.push(Buffer.from(payload.map((byte, index) => byte ^ mask.readUInt8(index % 4))));
    at += 6 + length;
  }
  return Buffer.concat(frames);
}

async function play(load: Load): Promise<number> {
  await load.prepare();
  await load.run();
  return load.finish();
}

/** Closes the first `howMany` WebSockets right after their 101. */
function closing(howMany: number): Behaviour {
  let open = 0;
  return {
    handshake(socket, head) {
      upgrade(socket, head);
      if (open++ < howMany) socket.end();
    },
  };
}

describe("handshakes", () => {
  const shake = (port: number, units = 5): Promise<number> => play(new HandshakeLoad(port, units, tokens));

  test("each comes with a token of its own, on a path of the site and from its origin", async () => {
    const heads: string[] = [];
    const port = await serve({
      handshake(socket, head) {
        heads.push(head);
        upgrade(socket, head);
      },
    });
    expect(await shake(port, 40)).toBe(0);
    expect(new Set(heads.map((head) => /^GET \/ws\/echo\/\?token=([\w.-]+) HTTP/.exec(head)?.[1]))).toHaveLength(40);
    expect(new Set(heads.map((head) => /^Sec-WebSocket-Key: (.*)$/m.exec(head)?.[1]))).toHaveLength(40);
    expect(heads[0]).toContain("\r\nOrigin: https://chat.example\r\n");
  });

  test("of who comes again: each token comes a second time when the first connections have gone", async () => {
    const came: (string | undefined)[] = [];
    const port = await serve({
      handshake(socket, head) {
        came.push(/token=([\w.-]+)/.exec(head)?.[1]);
        upgrade(socket, head);
      },
    });
    const load = new ReconnectLoad(port, 40, tokens);
    await load.prepare();
    const before = came.splice(0);
    expect([before.length, new Set(before).size]).toEqual([40, 40]);
    await load.run();
    expect([...came].sort()).toEqual([...before].sort());
    expect(await load.finish()).toBe(0);
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
    await expect(shake(port)).rejects.toThrow('nothing behind the 101, got "", got "hello"');
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
    expect(await shake(await serve(closing(3)))).toBe(3);
    await expect(shake(await serve(closing(4)))).rejects.toThrow("4 WebSockets were lost, the last one so: expected ");
  });

  test("a close frame that is not returned as it should be is a failure", async () => {
    const port = await serve({ frames: (socket) => socket.write(Buffer.from("880203e9", "hex")) });
    await expect(shake(port)).rejects.toThrow("expected a close frame in return, number 1 being");
  });
});

describe("echoes", () => {
  const units = 16 * 64;
  const talk = (port: number): Promise<number> => play(new EchoLoad(port, units, tokens));

  test("units are whole bursts on every connection", async () => {
    let messages = 0;
    const port = await serve({
      frames(socket, bytes) {
        const answer = echoOf(bytes);
        if (answer.readUInt8(0) === 0x81) messages += answer.length / 68;
        socket.write(answer);
      },
    });
    const load = new EchoLoad(port, units + 1, tokens);
    expect(load.units).toBe(2 * units);
    expect(await play(load)).toBe(0);
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
      /^expected the echo of 64 messages, number 10 being ".*\\"number\\":009,.*}", got ".*\\"number\\":009,.*!"$/,
    );
  });

  test("two echoes in each other's place are wrong", async () => {
    const port = await serve({
      frames(socket, bytes) {
        const answer = echoOf(bytes);
        socket.write(Buffer.concat([answer.subarray(68, 136), answer.subarray(0, 68), answer.subarray(136)]));
      },
    });
    await expect(talk(port)).rejects.toThrow(/number 1 being .*:000,.* got .*:001,/);
  });

  test("an echo too many is wrong", async () => {
    const port = await serve({
      frames: (socket, bytes) => socket.write(Buffer.concat([echoOf(bytes), Buffer.alloc(1)])),
    });
    await expect(talk(port)).rejects.toThrow("expected the echo of 64 messages and nothing more, got 1 bytes more");
  });

  test("three WebSockets that are lost at once are replaced, a fourth is a failure", async () => {
    expect(await talk(await serve(closing(3)))).toBe(3);
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
    const result = expect(play(new HandshakeLoad(port, 1, tokens))).rejects.toThrow(
      `expected a 101 in answer to a handshake within ${answerTimeLimit} ms, got nothing`,
    );
    await asked.given;
    vi.advanceTimersByTime(answerTimeLimit);
    await result;
  });

  test("an echo that does not come in time is a failure", async () => {
    const asked = signal();
    const port = await serve({ frames: asked.give });
    const result = expect(play(new EchoLoad(port, 1, tokens))).rejects.toThrow(
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
    await expect(checkGate(await guarded(), tokens)).resolves.toBeUndefined();
  });

  test("a server that does not look at the origin is found out", async () => {
    await expect(checkGate(await guarded("origin"), tokens)).rejects.toThrow(
      'expected status 403 in answer to a handshake with a foreign origin, got "HTTP/1.1 101 Switching Protocols"',
    );
  });

  test("a server that does not verify tokens is found out", async () => {
    await expect(checkGate(await guarded("token"), tokens)).rejects.toThrow(
      'expected status 401 in answer to a handshake with a forged token, got "HTTP/1.1 101 Switching Protocols"',
    );
  });
});
