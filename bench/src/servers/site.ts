/** The one site that every contestant serves and the driver visits. */
export const site = {
  /** Pages of this host may connect, from any port. */
  allowedHost: "chat.example",
  issuer: "https://chat.example",
  audience: "chat",
} as const;

/**
 * What there is on the site. WebSockets:
 *
 * - `echo` sends back text and binary as it came.
 * - `json` answers `{"type":"echo","n":1,"text":"..."}` by `{"type":"echoed","n":1,"text":"..."}`, parsed and made anew.
 * - `group` makes a member of the group that the path names. A text of a member's goes to all members, itself included.
 * - `opaque` is `echo` for opaque tokens, which are looked up in the PostgreSQL of {@link databaseVariable}.
 *
 * HTTP; all but `login` want `Authorization: Bearer <token>`, and answer 401 without a good one:
 *
 * - `login` takes `{"username":...,"password":...}` by POST and answers `{"token":...}`, or 401.
 * - `me` answers `{"id":...,"username":...,"name":...}`.
 * - `ticket` answers a POST by `{"ticket":...}`: 43 characters, good once and for half a minute.
 * - `events` answers by {@link eventStream}, an event at a time, and ends.
 */
export type Place = WebSocketPlace | HttpPlace;
export type WebSocketPlace = "echo" | "json" | "group" | "opaque";
export type HttpPlace = "login" | "me" | "ticket" | "events";

export const paths = {
  echo: "/ws/echo/",
  json: "/ws/json/",
  opaque: "/ws/opaque/",
  login: "/login",
  me: "/me",
  ticket: "/ticket",
  events: "/events",
} as const satisfies Record<Exclude<Place, "group">, string>;

/** Of letters, digits, hyphens and underscores. */
export function groupPath(name: string): string {
  return `/ws/group/${name}/`;
}

/** Who may log in. */
export const account = { id: "7", username: "ada", name: "Ada Lovelace", password: "correct horse battery" } as const;

/** How its password is hashed: by argon2id with 19 MiB and two passes, as OWASP has it. */
export const passwordCost = { memory: 19_456, passes: 2, parallelism: 1 } as const;

/** Milliseconds that the token of a login is good for. */
export const loginLifetime = 3_600_000;

/** Milliseconds that a ticket is good for. */
export const ticketLifetime = 30_000;

/** How many events a stream has, and the text of each as it goes over the wire. */
export const eventStream = { count: 100, event: "data: the time is a quarter past eight\n\n" } as const;

/** The name of the environment variable that a run hands its secret down in. */
export const secretVariable = "BENCH_SECRET";

/** And the one with the URL of a PostgreSQL that has the tables of `@sluice/store-drizzle`. */
export const databaseVariable = "BENCH_DATABASE_URL";

/** What this run's tokens are signed with. */
export function siteSecret(): string {
  const secret = process.env[secretVariable];
  if (secret === undefined) throw new Error(`expected ${secretVariable} in the environment: start it by main.js`);
  return secret;
}

/** Where opaque tokens are looked up; undefined in a run without them, where there is no such place. */
export function databaseUrl(): string | undefined {
  return process.env[databaseVariable];
}
