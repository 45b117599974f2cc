import type { Dialect, Step } from "../servers/dialect.js";
import type { Connection } from "./connection.js";
import { clientFrame, opcode, serverFrame } from "./frame.js";
import { type Handshake, handshake } from "./handshake.js";
import { TextAnswer } from "./text-answer.js";

/** How one client comes: made beforehand, as it is not the server's work. */
export interface Arrival {
  readonly handshake: Handshake;
  readonly opening: readonly Step[];
}

const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export function arrival(dialect: Dialect, path: string, token: string): Arrival {
  return {
    handshake: handshake({ target: dialect.target(path, token) }),
    opening: dialect.opening?.(token, path) ?? [],
  };
}

/** Shakes hands, and goes on until the WebSocket counts as open. Resolves with what came behind that. */
export async function arrive(connection: Connection, { handshake, opening }: Arrival): Promise<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  const keep = (came: Buffer): void => {
    rest = came;
  };
  await connection.ask(handshake.request, handshake.answer(keep));
  for (const { say, hear } of opening) {
    if (say !== undefined) connection.say(textFrame(say));
    if (hear !== undefined) await connection.hear(new TextAnswer(hear, keep), rest);
  }
  return rest;
}

/** As `arrive`, for where nobody has said anything yet. */
export async function arriveInSilence(connection: Connection, arrival: Arrival): Promise<void> {
  const rest = await arrive(connection, arrival);
  if (rest.length === 0) return;
  connection.destroy();
  throw new Error(`expected nothing behind the opening of a WebSocket, got ${JSON.stringify(rest.toString("latin1"))}`);
}

/** A text message as a client sends it who is at `path`, and the same as a client hears it. */
export function textFrames(
  dialect: Dialect,
  path: string,
  text: string,
): { readonly said: Buffer; readonly heard: Buffer } {
  const onWire = dialect.say?.(text, path) ?? text;
  return { said: textFrame(onWire), heard: serverFrame(opcode.text, Buffer.from(onWire)) };
}

function textFrame(text: string): Buffer {
  return clientFrame(opcode.text, Buffer.from(text), mask);
}
