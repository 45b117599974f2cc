import {
  type AccountUser,
  type Address,
  type Clock,
  type Grant,
  header,
  LayerUnavailable,
  type LeaseEnd,
  type Leases,
  type Logger,
  loginOf,
  type OpaqueTokens,
  type Scope,
} from "@sluice/core";
import type { Database } from "@sluice/store-drizzle";
import type { Accounts } from "./accounts.js";
import type { JwtLogin, JwtLogins } from "./jwt-logins.js";

export interface LoginsOptions {
  readonly database: Pick<Database, "tokens" | "refreshTokens" | "revocations">;
  readonly accounts: Accounts;
  readonly tokens: OpaqueTokens;
  readonly jwtLogins: JwtLogins;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Where a login comes from. */
export interface Origin {
  readonly client: Address | undefined;
  readonly userAgent: string | undefined;
}

/** A login as its user is shown it. Times are in milliseconds since 1970. */
export interface Login {
  readonly id: string;
  readonly userAgent: string | undefined;
  readonly createdAt: number;
  /** Of a token to the minute, of a session when it got its last JWT. Undefined for a token that has opened nothing yet. */
  readonly lastUsedAt: number | undefined;
  /** How many connections it has open, on all servers that have said so. */
  readonly connections: number;
}

/** How many logins are listed of each kind: those used last. */
const mostListed = 100;
/** UTF-16 units of a User-Agent that are kept: by the first of them people know their devices. */
const longestUserAgent = 256;

/** Where a connection comes from, as its client says. */
export function originOf(scope: Scope<"http"> | Scope<"websocket">): Origin {
  const userAgent = header(scope, "user-agent")?.replaceAll("\0", "").slice(0, longestUserAgent);
  return { client: scope.client, userAgent: userAgent === "" ? undefined : userAgent };
}

/**
 * Waits until the other servers are told of a revocation, or cannot be, which is logged: what the store has forgotten opens
 * nothing more than what a server remembers for seconds, and it hears when the layer is back.
 */
export async function told(telling: Promise<void>, logger: Logger): Promise<void> {
  try {
    await telling;
  } catch (error) {
    if (!(error instanceof LayerUnavailable)) throw error;
    logger.warn({ err: error }, "other servers could not be told of a revocation");
  }
}

/**
 * The logins of users, each of which is an opaque token or a session with all its JWTs: how they begin, what there is, and how
 * they end. What ends is gone from the store first, and then its connections are closed, on all servers.
 */
export class Logins {
  readonly #options: LoginsOptions;

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /** Begins a login by an opaque token. Undefined, and rejections, as of `Accounts.authenticate`. */
  byToken(credentials: Credentials, origin: Origin): Promise<{ user: AccountUser; tokens: string } | undefined> {
    return this.#begin(credentials, origin, async ({ id }) => {
      const { token, digest } = await this.#options.tokens.issue(id, { userAgent: origin.userAgent });
      return { id: digest, tokens: token };
    });
  }

  /** Begins a session. Undefined, and rejections, as of `Accounts.authenticate`. */
  byJwt(credentials: Credentials, origin: Origin): Promise<{ user: AccountUser; tokens: JwtLogin } | undefined> {
    return this.#begin(credentials, origin, async (user) => {
      const { sessionId, tokens } = await this.#options.jwtLogins.begin(user, origin.userAgent);
      return { id: sessionId, tokens };
    });
  }

  /** Those of a user, the one that was used last first. */
  async listOf(userId: string): Promise<readonly Login[]> {
    const { database, leases, clock } = this.#options;
    const [tokens, sessions, connections] = await Promise.all([
      database.tokens.listOf(userId, mostListed),
      database.refreshTokens.listOf(userId, mostListed),
      leases.connectionsOf(userId),
    ]);
    const now = clock.now();
    return [...tokens.map(({ digest, ...token }) => ({ id: digest, ...token })), ...sessions]
      .filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt > now)
      .map(({ id, userAgent, createdAt, lastUsedAt }) => ({
        id,
        userAgent,
        createdAt,
        lastUsedAt,
        connections: connections.get(id) ?? 0,
      }))
      .sort((one, other) => (other.lastUsedAt ?? other.createdAt) - (one.lastUsedAt ?? one.createdAt));
  }

  /** Ends one of a user's by its id. False if they have none of that id. */
  async endOne(userId: string, id: string): Promise<boolean> {
    const { database, leases, logger } = this.#options;
    if ((await database.tokens.find(id))?.user.id === userId) {
      if (!(await database.tokens.remove(id))) return false;
      await told(leases.revokeToken(id, "revoked"), logger);
      return true;
    }
    if ((await database.refreshTokens.find(id))?.user.id !== userId) return false;
    if (!(await database.refreshTokens.remove(id))) return false;
    await told(leases.revokeSession(id, "revoked"), logger);
    return true;
  }

  /** Ends the login that a grant comes from. */
  async end({ tokenId, sessionId, expiresAt }: Grant): Promise<void> {
    const { database, leases, logger } = this.#options;
    if (sessionId !== undefined) {
      await database.refreshTokens.remove(sessionId);
      await told(leases.revokeSession(sessionId, "logged_out"), logger);
      return;
    }
    // An opaque token is gone when its record is; a JWT has none, and is remembered until it dies by itself.
    const removed = await database.tokens.remove(tokenId);
    if (!removed && expiresAt !== undefined) await database.revocations.revoke(tokenId, expiresAt);
    await told(leases.revokeToken(tokenId, "logged_out"), logger);
  }

  /** Ends every login of a user, or all but the one that a grant comes from; says how many tokens and sessions there were. */
  async endAllOf(userId: string, reason: LeaseEnd, kept?: Grant): Promise<number> {
    const { database, leases, logger } = this.#options;
    const except = kept === undefined ? undefined : loginOf(kept);
    // Sessions end whatever the clocks of servers say. When a JWT was issued is what ends one without a session.
    const [opaque, sessions] = await Promise.all([
      database.tokens.removeAllOf(userId, except),
      database.refreshTokens.removeAllOf(userId, except),
      database.revocations.revokeIssuedBefore(userId, await this.#beginningOf(kept)),
    ]);
    await told(leases.revokeUser(userId, reason, { except: except ?? null }), logger);
    return opaque + sessions;
  }

  /** A password that is changed in the meantime ends what its change does not find: nobody is given the token then. */
  async #begin<Tokens>(
    { username, password }: Credentials,
    { client }: Origin,
    issue: (user: AccountUser) => Promise<{ readonly id: string; readonly tokens: Tokens }>,
  ): Promise<{ user: AccountUser; tokens: Tokens } | undefined> {
    const proof = await this.#options.accounts.prove(username, password, client);
    if (proof === undefined) return undefined;
    const { user } = proof;
    const { id, tokens } = await issue(user);
    if (await proof.stillHolds()) return { user, tokens };
    await this.endOne(user.id, id);
    return undefined;
  }

  /** Since when there are JWTs of a login that goes on; of one without any, or of none, that is from now on. */
  async #beginningOf(kept: Grant | undefined): Promise<number> {
    const { database, clock } = this.#options;
    if (kept?.sessionId !== undefined) {
      return (await database.refreshTokens.find(kept.sessionId))?.family.createdAt ?? clock.now();
    }
    return kept?.expiresAt === undefined ? clock.now() : (kept.issuedAt ?? clock.now());
  }
}
