/** What the contracts of several stores begin with. */
import type { Grant, MessageRecord, RefreshFamily, TicketRecord, TokenRecord, UserRecord } from "@sluice/core";
import type { StoresUnderTest } from "./stores-under-test.js";

let made = 0;

/** A name that no other test uses, in this process or another. */
export function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${crypto.randomUUID()}-${made}`;
}

export function createUser(stores: StoresUnderTest, username: string = unique("user")): Promise<UserRecord> {
  return stores.users.create({ username, name: "Some Body", passwordHash: "hash" });
}

export async function createToken(
  stores: StoresUnderTest,
  { userId, ...details }: Partial<Omit<TokenRecord, "digest" | "lastUsedAt">> = {},
): Promise<Omit<TokenRecord, "lastUsedAt">> {
  const owner = userId ?? (await createUser(stores)).id;
  const token = {
    digest: unique("digest"),
    userId: owner,
    createdAt: 1_700_000_000_000,
    expiresAt: undefined,
    userAgent: undefined,
    ...details,
  };
  await stores.tokens.create(token);
  return token;
}

export const later = (): number => Date.now() + 3_600_000;

export async function createFamily(
  stores: StoresUnderTest,
  details: Partial<RefreshFamily> = {},
): Promise<RefreshFamily> {
  const family = {
    id: unique("family"),
    userId: details.userId ?? (await createUser(stores)).id,
    scopes: undefined,
    createdAt: 1_700_000_000_123,
    lastUsedAt: 1_700_000_000_123,
    userAgent: undefined,
    expiresAt: later(),
    current: unique("digest"),
    previous: undefined,
    ...details,
  };
  await stores.refreshTokens.create(family);
  return family;
}

/** What a self-contained token of a new user entitles to. */
export async function createGrant(stores: StoresUnderTest): Promise<Grant> {
  const { id, username } = await createUser(stores);
  const user = { isAuthenticated: true, id, username } as const;
  return { user, tokenId: unique("jti"), expiresAt: later(), issuedAt: 1_700_000_000_123 };
}

export async function createTicket(stores: StoresUnderTest, fields: Partial<TicketRecord> = {}): Promise<TicketRecord> {
  const ticket = {
    digest: unique("digest"),
    userId: fields.userId ?? (await createUser(stores)).id,
    grant: { tokenId: unique("token"), expiresAt: undefined },
    origin: "https://app.example.com",
    purpose: "websocket",
    expiresAt: later(),
    ...fields,
  };
  await stores.tickets.create(ticket);
  return ticket;
}

/** Appends one after another, so that their order is known. */
export async function appendAll(
  stores: StoresUnderTest,
  room: string,
  lines: readonly string[],
): Promise<MessageRecord[]> {
  const { id: senderId } = await createUser(stores);
  const sent = [];
  for (const text of lines) sent.push(await stores.messages.append({ room, senderId, text }));
  return sent;
}

/** Ids of nobody, most of which no database would take for an id. */
export const noIds: ReadonlyArray<{ readonly what: string; readonly id: string }> = [
  { what: "a UUID of nobody", id: "00000000-0000-4000-8000-000000000000" },
  { what: "an empty string", id: "" },
  { what: "a number", id: "1" },
  { what: "a word", id: "nobody" },
  { what: "a UUID that is a digit short", id: "00000000-0000-4000-8000-00000000000" },
  { what: "a UUID with a NUL character", id: "00000000-0000-4000-8000-000000000000\0" },
  { what: "SQL", id: "' or true; --" },
  { what: "half a surrogate pair", id: "\ud800" },
  { what: "10,000 digits", id: "9".repeat(10_000) },
];

export const texts: readonly string[] = [
  "",
  " \t padded \r\n",
  "Zoë, Ωmega, Жанна, 山田太郎, مرحبا, עברית",
  "👩🏽‍🚀👨‍👩‍👧‍👦🇺🇳",
  "e\u0301 is not \u00e9",
  "\u0001\u001b\u007f\u2028\u2029\ufeff\uffff",
  "'; drop table messages; -- \\ \" $1 %s",
  "x".repeat(65_536),
];
