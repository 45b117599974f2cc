import { hash } from "node:crypto";
import {
  type ChannelLayer,
  type Clock,
  type Grant,
  Leases,
  type Logger,
  type MessageStore,
  OpaqueTokens,
  type Presence,
  presence,
  RefreshTokens,
  systemClock,
  Tickets,
  TokenCache,
  type TokenVerifier,
  type User,
} from "@sluice/core";
import { Argon2Hasher } from "@sluice/passwords-argon2";
import { type Database, openDatabase } from "@sluice/store-drizzle";
import { JwtTokens } from "@sluice/tokens-jose";
import { Accounts } from "./accounts/accounts.js";
import { JwtLogins } from "./accounts/jwt-logins.js";
import { Logins, told } from "./accounts/logins.js";
import { type UserData, userData } from "./chat/user-data.js";
import { loadJwtKeys } from "./jwt-keys.js";
import { securityLog, type TellSecurityEvent } from "./security-log.js";
import { layerChoice } from "./settings/layer.js";
import { loginRules } from "./settings/throttle.js";
import type { Settings } from "./settings.js";
import { inMemory } from "./throttle/counter.js";
import { LoginThrottle } from "./throttle/login-throttle.js";
import { inDatabase } from "./throttle/shared-counter.js";

/** Somebody who is known, as either kind of token tells of them. */
export interface Member extends User {
  /** What others are shown; may be empty. */
  readonly name: string;
}

/** Everything the application stands on, put together once. The command line and the server share it. */
export interface Services {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Writes what it is told of into the log. */
  readonly onSecurityEvent: TellSecurityEvent;
  readonly database: Database;
  readonly accounts: Accounts;
  readonly messages: MessageStore;
  readonly layer: ChannelLayer;
  /** Who is in which room. */
  readonly presence: Presence<Member, UserData>;
  readonly tokens: OpaqueTokens;
  readonly jwt: JwtTokens;
  readonly jwtLogins: JwtLogins;
  /** Stand for a token of either kind, once. */
  readonly tickets: Tickets;
  /** Takes either kind of token, and remembers those that were good for as long as the settings say. */
  readonly verifier: TokenVerifier<Member>;
  /** Watches over the tokens of open connections. */
  readonly leases: Leases;
  /** What users are known by, from a login to its end. */
  readonly logins: Logins;
  close(): Promise<void>;
}

/** How long a JWT lives, in milliseconds. */
export const jwtLifetime = 900_000;

/** What the tickets of the API are good for. */
export const ticketPurpose = "websocket";

/**
 * Opens what the settings name, on a layer that it closes at the end, also where that comes at once. Rejects with an error
 * whose message is for the operator.
 */
export async function openServices(settings: Settings, logger: Logger, layer: ChannelLayer): Promise<Services> {
  try {
    return await openOn(layer, settings, logger);
  } catch (error) {
    // Its connections would keep the process alive.
    await layer.close();
    throw error;
  }
}

async function openOn(layer: ChannelLayer, settings: Settings, logger: Logger): Promise<Services> {
  const keys = await loadJwtKeys(settings);
  const database = await openDatabase(
    settings.DATABASE_URL === undefined ? { directory: `${settings.DATA_DIR}/pglite` } : { url: settings.DATABASE_URL },
  );
  const counters = settings.DATABASE_URL === undefined ? inMemory : inDatabase(database, logger);
  const throttle = new LoginThrottle(loginRules(settings), counters);
  const clock = systemClock;
  const onSecurityEvent = securityLog(logger, clock);
  const tokens = new OpaqueTokens({ store: database.tokens, clock, logger, digest });
  const jwt = new JwtTokens({
    keys,
    issuer: "sluice",
    audience: "sluice",
    clock,
    revocations: database.revocations,
  });
  const here = presence(layer, { describe: (user: Member) => userData(user), logger, clock });
  const verify = (grant: Grant): Promise<boolean> => isGood(database, grant);
  const leases = new Leases({ layer, clock, logger, verify, onSecurityEvent });
  const either: TokenVerifier<Member> = { verify: (token) => (isJwt(token) ? jwt : tokens).verify(token) };
  const { TOKEN_CACHE_AGE: maxAge, TOKEN_CACHE_SIZE: maxSize } = settings;
  const refreshTokens = new RefreshTokens({
    store: database.refreshTokens,
    clock,
    onReuse: ({ sessionId }) => told(leases.revokeSession(sessionId, "revoked"), logger),
    onSecurityEvent,
  });
  const accounts = await Accounts.open(database.users, new Argon2Hasher(), throttle, onSecurityEvent);
  const jwtLogins = new JwtLogins({ jwt, refreshTokens, lifetime: jwtLifetime });
  return {
    settings,
    logger,
    clock,
    onSecurityEvent,
    database,
    accounts,
    messages: database.messages,
    layer,
    presence: here,
    tokens,
    jwt,
    jwtLogins,
    logins: new Logins({ database, accounts, tokens, jwtLogins, leases, clock, logger }),
    tickets: new Tickets({ store: database.tickets, clock, verify }),
    leases,
    verifier:
      maxSize > 0 && hearsOfRevocations(settings)
        ? new TokenCache({ verifier: either, leases, maxAge, maxSize, digest })
        : either,
    async close() {
      await leases.close();
      await here.close();
      await layer.close();
      await database.close();
    },
  };
}

/** Whether a token that was good still is: only those that are opaque have no expiry. */
async function isGood(database: Database, grant: Grant): Promise<boolean> {
  if (grant.expiresAt !== undefined) return !(await database.revocations.isRevoked(grant));
  return (await database.tokens.find(grant.tokenId))?.user.isActive ?? false;
}

/** An opaque token has no dots. */
function isJwt(token: string): boolean {
  return token.includes(".");
}

/** Whether everybody who can revoke a token can say so: who shares the database shares the layer, too. */
function hearsOfRevocations(settings: Settings): boolean {
  return settings.DATABASE_URL === undefined || layerChoice(settings).name !== "memory";
}

/** At once, where WebCrypto would go by another thread. */
function digest(text: string): string {
  return hash("sha256", text, "hex");
}
