import type { Leases } from "@sluice/core";
import { type BetterAuthOptions, betterAuth } from "better-auth";

/** Better Auth as any application has it, and one hook: a session that is deleted ends its connections. */
export function createAuth(
  options: Pick<BetterAuthOptions, "baseURL" | "secret" | "database" | "logger">,
  leases: Leases,
) {
  return betterAuth({
    ...options,
    emailAndPassword: { enabled: true },
    databaseHooks: {
      session: { delete: { after: ({ id }) => leases.revokeSession(id, "logged_out") } },
    },
  });
}

export type Auth = ReturnType<typeof createAuth>;
