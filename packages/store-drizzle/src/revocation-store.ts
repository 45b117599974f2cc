import type { RevocationStore } from "@sluice/core";
import { and, eq, exists, isNull, lt, lte, notExists, or, sql } from "drizzle-orm";
import { assertText, assertUserId, isText, isUuid } from "./column-value.js";
import type { Connection } from "./connection.js";
import { refreshFamilies, revokedTokens, revokedUsers, users } from "./schema.js";
import { guarded } from "./store-error.js";

/**
 * Revoked tokens in the table `revoked_tokens`. Each new one sweeps those that have expired, a day after they did: the
 * database's clock may be ahead of a verifier's, and a verifier may tolerate a token that has just expired. Users whose
 * earlier tokens are no good are in `revoked_users`, sessions that go on in `refresh_families`.
 */
export function revocationStore(connection: Connection): RevocationStore {
  return {
    async revoke(tokenId, expiresAt) {
      assertText({ tokenId });
      await guarded(connection.delete(revokedTokens).where(lt(revokedTokens.expiresAt, sql`now() - interval '1 day'`)));
      await guarded(
        connection
          .insert(revokedTokens)
          .values({ tokenId, expiresAt })
          .onConflictDoUpdate({
            target: revokedTokens.tokenId,
            set: { expiresAt: sql`greatest(${revokedTokens.expiresAt}, excluded.expires_at)` },
          }),
      );
    },

    async revokeIssuedBefore(userId, time) {
      assertUserId(userId);
      await guarded(
        connection
          .insert(revokedUsers)
          .values({ userId, issuedBefore: time })
          .onConflictDoUpdate({
            target: revokedUsers.userId,
            set: { issuedBefore: sql`greatest(${revokedUsers.issuedBefore}, excluded.issued_before)` },
          }),
      );
    },

    async isRevoked({ tokenId, sessionId, user, issuedAt }) {
      // Of what no table can hold there is neither an account nor a session.
      if (!isUuid(user.id) || !isText(tokenId) || (sessionId !== undefined && !isText(sessionId))) return true;
      const one = { one: sql`1` };
      const revoked = connection.select(one).from(revokedTokens).where(eq(revokedTokens.tokenId, tokenId));
      const session =
        sessionId === undefined
          ? undefined
          : exists(connection.select(one).from(refreshFamilies).where(sessionOf(user.id, sessionId)));
      const good = await guarded(
        connection
          .select(one)
          .from(users)
          .leftJoin(revokedUsers, eq(revokedUsers.userId, users.id))
          .where(
            and(
              eq(users.id, user.id),
              users.isActive,
              notExists(revoked),
              session,
              // A token that does not say when it was issued is as old as can be.
              or(
                isNull(revokedUsers.issuedBefore),
                issuedAt === undefined ? undefined : lte(revokedUsers.issuedBefore, issuedAt),
              ),
            ),
          ),
      );
      return good.length === 0;
    },
  };
}

function sessionOf(userId: string, sessionId: string) {
  return and(eq(refreshFamilies.id, sessionId), eq(refreshFamilies.userId, userId));
}
