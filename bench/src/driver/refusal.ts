import type { Dialect } from "../servers/dialect.js";
import { paths } from "../servers/site.js";
import { type Arrival, arriveInSilence } from "./arrival.js";
import { Connection } from "./connection.js";
import { handshake, type RefusedHandshake, refusedHandshake } from "./handshake.js";

/** Who is to be refused, made beforehand: by the answer to the handshake, or by messages after its 101. */
export type Refused = RefusedHandshake | Arrival;

const foreignOrigin = "https://chat.example.evil.example";

/** A page of another site's, with a token that is good. */
export function ofForeignOrigin(dialect: Dialect, token: string): Refused {
  const { status } = dialect.refusals.origin;
  return refusedHandshake(
    { target: dialect.target(paths.echo, token), origin: foreignOrigin },
    status,
    "a foreign origin",
  );
}

/** A page of the site's without a token that is good: `why` says which it has, as `"a forged token"`. */
export function ofBadToken(dialect: Dialect, token: string | undefined, why: string): Refused {
  const target = dialect.target(paths.echo, token);
  const { status, opening } = dialect.refusals.token;
  if (opening === undefined) return refusedHandshake({ target }, status, why);
  return { handshake: handshake({ target }), opening: opening(token, paths.echo) };
}

/** Connects, and rejects if it is not refused as it should be. The connection is the caller's to end. */
export async function beRefused(port: number, refused: Refused): Promise<Connection> {
  const connection = await Connection.open(port);
  if ("opening" in refused) await arriveInSilence(connection, refused);
  else await connection.ask(refused.request, refused.answer());
  return connection;
}
