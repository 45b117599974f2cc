import {
  type ChannelLayer,
  type Clock,
  type Grant,
  LayerUnavailable,
  type LeaseEnd,
  Leases,
  type Logger,
  type MessageStore,
  OpaqueTokens,
  type Presence,
  presence,
  systemClock,
  type TokenVerifier,
  type User,
} from "@sluice/core";
import { Argon2Hasher } from "@sluice/passwords-argon2";
import { type Database, openDatabase } from "@sluice/store-drizzle";
import { JwtTokens } from "@sluice/tokens-jose";
import { Accounts } from "./accounts/accounts.js";
import { type UserData, userData } from "./chat/user-data.js";
import { loadSecretKey } from "./secret-key.js";
import type { Settings } from "./settings.js";

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
  readonly database: Database;
  readonly accounts: Accounts;
  readonly messages: MessageStore;
  readonly layer: ChannelLayer;
  /** Who is in which room. */
  readonly presence: Presence<Member, UserData>;
  readonly tokens: OpaqueTokens;
  readonly jwt: JwtTokens;
  /** Takes either kind of token. */
  readonly verifier: TokenVerifier<Member>;
  /** Watches over the tokens of open connections. */
  readonly leases: Leases;
  /** Ends the token a grant was given for, of either kind, and the connections that were opened with it. */
  revoke(grant: Grant): Promise<void>;
  /** Ends every opaque token of a user, and all of their connections; says how many tokens there were. */
  revokeAllOf(userId: string, reason: LeaseEnd): Promise<number>;
  close(): Promise<void>;
}

/** How long a JWT lives, in milliseconds. */
export const jwtLifetime = 3_600_000;

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
  const secret = await loadSecretKey(settings);
  const database = await openDatabase(
    settings.DATABASE_URL === undefined ? { directory: `${settings.DATA_DIR}/pglite` } : { url: settings.DATABASE_URL },
  );
  const clock = systemClock;
  const tokens = new OpaqueTokens({ store: database.tokens, clock, logger });
  const jwt = new JwtTokens({
    secrets: { current: secret, previous: settings.SECRET_KEY_PREVIOUS },
    issuer: "sluice",
    audience: "sluice",
    clock,
    revocations: database.revocations,
  });
  const here = presence(layer, { describe: (user: Member) => userData(user), logger, clock });
  const leases = new Leases({ layer, clock, logger, verify: (grant) => isGood(database, grant) });
  // What the store has forgotten opens nothing any more; the other servers hear of it when the layer is back.
  const told = async (telling: Promise<void>): Promise<void> => {
    try {
      await telling;
    } catch (error) {
      if (!(error instanceof LayerUnavailable)) throw error;
      logger.warn({ err: error }, "other servers could not be told of a revocation");
    }
  };
  return {
    settings,
    logger,
    clock,
    database,
    accounts: await Accounts.open(database.users, new Argon2Hasher()),
    messages: database.messages,
    layer,
    presence: here,
    tokens,
    jwt,
    leases,
    verifier: { verify: (token) => (isJwt(token) ? jwt : tokens).verify(token) },
    async revoke({ tokenId, expiresAt }) {
      // An opaque token is gone when its record is; a JWT has none, and is remembered until it dies by itself.
      const removed = await database.tokens.remove(tokenId);
      if (!removed && expiresAt !== undefined) await database.revocations.revoke(tokenId, expiresAt);
      await told(leases.revokeToken(tokenId, "logged_out"));
    },
    async revokeAllOf(userId, reason) {
      const count = await database.tokens.removeAllOf(userId);
      await told(leases.revokeUser(userId, reason));
      return count;
    },
    async close() {
      await leases.close();
      await here.close();
      await layer.close();
      await database.close();
    },
  };
}

/** Whether a token that was good still is: only those that are opaque have no expiry. */
async function isGood(database: Database, { tokenId, expiresAt }: Grant): Promise<boolean> {
  if (expiresAt !== undefined) return !(await database.revocations.isRevoked(tokenId));
  return (await database.tokens.find(tokenId))?.user.isActive ?? false;
}

/** An opaque token has no dots. */
function isJwt(token: string): boolean {
  return token.includes(".");
}
