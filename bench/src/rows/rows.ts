import { idle, jitter, storm } from "./crowds.js";
import { binary, echo, json } from "./echoes.js";
import { group, groups } from "./groups.js";
import { growthOfDeliveries, growthOfHandshakes, growthOfMessages } from "./growth.js";
import { handshake, opaque, reconnect, refusedOrigin, refusedToken } from "./handshakes.js";
import type { Row } from "./row.js";
import { events, login, me, ticket } from "./web.js";

export type { Pace, Row } from "./row.js";

/** Everything that is measured, in this order. */
export const rows: readonly Row[] = [
  handshake,
  reconnect,
  opaque,
  refusedOrigin,
  refusedToken,
  echo,
  json,
  binary,
  group,
  groups,
  growthOfHandshakes,
  growthOfMessages,
  growthOfDeliveries,
  idle,
  login,
  me,
  ticket,
  events,
  storm,
  jitter,
];

/** Throws a `TypeError` for a name that no row has. */
export function rowOf(name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new TypeError(`expected the name of a row, got ${name}`);
  return row;
}
