import { createHash, randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import type { User } from "./by-hand.js";
import { account, passwordCost, ticketLifetime } from "./site.js";

const passwordHash = await hash(account.password, {
  memoryCost: passwordCost.memory,
  timeCost: passwordCost.passes,
  parallelism: passwordCost.parallelism,
});

/** Undefined for a wrong name or password. `content` is what a client has sent, as JSON was parsed. */
export async function logIn(content: unknown): Promise<User | undefined> {
  const { username, password } = content as { readonly username?: unknown; readonly password?: unknown };
  // A wrong name takes as long as a wrong password.
  const isRight = typeof password === "string" && (await verify(passwordHash, password));
  return isRight && username === account.username
    ? { id: account.id, username: account.username, name: account.name }
    : undefined;
}

const tickets = new Map<string, { readonly user: User; readonly expiresAt: number }>();

/** Kept by its digest, until it is used or has expired. */
export function issueTicket(user: User): string {
  const now = Date.now();
  // The oldest stand first.
  for (const [digest, { expiresAt }] of tickets) {
    if (expiresAt > now) break;
    tickets.delete(digest);
  }
  const ticket = randomBytes(32).toString("base64url");
  tickets.set(createHash("sha256").update(ticket).digest("hex"), { user, expiresAt: now + ticketLifetime });
  return ticket;
}
