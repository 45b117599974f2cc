import type { RevocationStore } from "@sluice/core";
import { eq, lt, sql } from "drizzle-orm";
import { assertText, isText } from "./column-value.js";
import type { Connection } from "./connection.js";
import { revokedTokens } from "./schema.js";
import { guarded } from "./store-error.js";

/**
 * Revoked tokens in the table `revoked_tokens`. Each new one sweeps those that have expired, a day after they did: the
 * database's clock may be ahead of a verifier's, and a verifier may tolerate a token that has just expired.
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

    async isRevoked(tokenId) {
      if (!isText(tokenId)) return false;
      const rows = await guarded(
        connection
          .select({ tokenId: revokedTokens.tokenId })
          .from(revokedTokens)
          .where(eq(revokedTokens.tokenId, tokenId)),
      );
      return rows.length > 0;
    },
  };
}
