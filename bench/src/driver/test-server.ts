import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { plain } from "../servers/dialect.js";
import { Crowd } from "./crowd.js";
import { opcode, serverFrame } from "./frame.js";
import type { Load, Outcome, Visit } from "./load.js";
import { Tokens } from "./tokens.js";

export const secret = "a secret of more than thirty-two bytes";
export const tokens = new Tokens(secret);

/** What a server does; what is left out it does right. */
export interface Behaviour {
  /** Answers the head of a request. */
  handshake?(socket: Socket, head: string): unknown;
  /** Answers frames. */
  frames?(socket: Socket, bytes: Buffer): unknown;
}

/** A server that does what a test wants of it. Resolves with its port. */
export async function serve({ handshake = upgrade, frames = echo }: Behaviour): Promise<number> {
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

export function upgrade(socket: Socket, head: string): void {
  const [, key] = /^sec-websocket-key: (.*)$/im.exec(head) ?? [];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

export function echo(socket: Socket, bytes: Buffer): void {
  socket.write(echoOf(bytes));
}

/** A frame of a client's, without its mask. */
export interface Heard {
  readonly code: number;
  readonly payload: Buffer;
}

/** Whole frames come in, as nothing else is sent here. */
export function framesIn(bytes: Buffer): Heard[] {
  const frames: Heard[] = [];
  for (let at = 0; at < bytes.length; ) {
    const short = bytes.readUInt8(at + 1) & 0x7f;
    const [headLength, length] =
      short < 126
        ? [2, short]
        : short === 126
          ? [4, bytes.readUInt16BE(at + 2)]
          : [10, Number(bytes.readBigUInt64BE(at + 2))];
    const mask = bytes.subarray(at + headLength, at + headLength + 4);
    const start = at + headLength + 4;
    const payload = bytes.subarray(start, start + length).map((byte, index) => byte ^ mask.readUInt8(index % 4));
    frames.push({ code: bytes.readUInt8(at) & 0x0f, payload: Buffer.from(payload) });
    at = start + length;
  }
  return frames;
}

/** The same frames as a server sends them; to a ping a pong. */
export function echoOf(bytes: Buffer): Buffer {
  return Buffer.concat(
    framesIn(bytes).map(({ code, payload }) => serverFrame(code === opcode.ping ? opcode.pong : code, payload)),
  );
}

/** A server of groups, each by the path of its members. `relay` says which of them hear what one says; all if left out. */
export async function serveGroups(
  relay: (members: readonly Socket[], text: string) => readonly Socket[] = all,
): Promise<number> {
  const groups = new Map<string, Socket[]>();
  const groupOf = new Map<Socket, string>();
  return serve({
    handshake(socket, head) {
      const path = head.split("?")[0] ?? "";
      groups.set(path, [...(groups.get(path) ?? []), socket]);
      groupOf.set(socket, path);
      socket.once("close", () =>
        groups.set(
          path,
          (groups.get(path) ?? []).filter((member) => member !== socket),
        ),
      );
      upgrade(socket, head);
    },
    frames(socket, bytes) {
      for (const { code, payload } of framesIn(bytes)) {
        if (code !== opcode.text) socket.write(serverFrame(code === opcode.ping ? opcode.pong : code, payload));
        else {
          const members = groups.get(groupOf.get(socket) ?? "") ?? [];
          for (const member of relay(members, payload.toString())) member.write(serverFrame(code, payload));
        }
      }
    },
  });
}

function all(members: readonly Socket[]): readonly Socket[] {
  return members;
}

export async function play(load: Load): Promise<Outcome> {
  await load.prepare();
  await load.run();
  return load.finish();
}

/** The crowd leaves when the test is over. */
export function visit(port: number, { units = 1, at = 1, dialect = plain }: Partial<Visit> = {}): Visit {
  const server = { port, dialect, tokens };
  const crowd = new Crowd(server);
  onTestFinished(async () => void (await crowd.become(new Map())));
  return { ...server, crowd, units, at };
}

/** Closes the first `howMany` WebSockets right after their 101. */
export function closing(howMany: number): Behaviour {
  let open = 0;
  return {
    handshake(socket, head) {
      upgrade(socket, head);
      if (open++ < howMany) socket.end();
    },
  };
}
