import { type Leases, login, type SessionScope, type SessionStore, type User } from "@sluice/core";

/** For who has lost a telephone, and after a changed password: everywhere but here. */
export async function logOutElsewhere(scope: SessionScope, user: User, sessions: SessionStore, leases: Leases) {
  await sessions.removeAllOf(user.id);
  await login(scope, user);
  await leases.revokeIssuedBefore(user.id, scope.session.createdAt ?? 0, "logged_out");
}

/** When an account is disabled. */
export async function logOutEverywhere(userId: string, sessions: SessionStore, leases: Leases) {
  await sessions.removeAllOf(userId);
  await leases.revokeUser(userId, "disabled");
}
