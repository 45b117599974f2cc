import { Connection } from "./connection.js";
import { type Handshake, refusedHandshake } from "./handshake.js";
import type { Tokens } from "./tokens.js";

/** Rejects if a server lets in whom it must refuse: it would have less to do than the others. */
export async function checkGate(port: number, tokens: Tokens): Promise<void> {
  const foreignOrigin = { origin: "https://chat.example.evil.example", token: await tokens.fresh() };
  const refused: Handshake[] = [
    refusedHandshake(foreignOrigin, 403, "a foreign origin"),
    refusedHandshake({}, 401, "no token"),
    refusedHandshake({ token: await tokens.forged() }, 401, "a forged token"),
    refusedHandshake({ token: await tokens.expired() }, 401, "an expired token"),
  ];
  for (const { request, answer } of refused) {
    const connection = await Connection.open(port);
    await connection.ask(request, answer());
    connection.destroy();
  }
}
