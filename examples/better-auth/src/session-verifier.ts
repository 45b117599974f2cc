import type { Grant, TokenVerifier, User } from "@sluice/core";
import type { Auth } from "./auth.js";

/** A user of Better Auth's. */
export interface Account extends User {
  readonly name: string;
}

/** What the session's cookie is called: with HTTPS it has a prefix. */
export async function sessionCookie(auth: Auth): Promise<string> {
  return (await auth.$context).authCookies.sessionToken.name;
}

/** Takes the value of the session's cookie for a token, and has Better Auth say whose it is. */
export class SessionVerifier implements TokenVerifier<Account> {
  readonly #auth: Auth;
  readonly #cookie: string;

  constructor(auth: Auth, cookie: string) {
    this.#auth = auth;
    this.#cookie = cookie;
  }

  async verify(token: string): Promise<Grant<Account> | undefined> {
    // What cannot stand in a cookie would be more than one of them here, or no header at all.
    if (!/^[\w.~%+/=-]+$/.test(token)) return undefined;
    const found = await this.#auth.api.getSession({
      headers: new Headers({ cookie: `${this.#cookie}=${token}` }),
      // From the store, which knows of a sign-out; and as it is: a handshake has no answer for a new cookie.
      query: { disableCookieCache: true, disableRefresh: true },
    });
    if (found === null) return undefined;
    const { user, session } = found;
    return {
      user: { isAuthenticated: true, id: user.id, username: user.email, name: user.name },
      tokenId: session.id,
      sessionId: session.id,
      issuedAt: session.createdAt.getTime(),
      expiresAt: session.expiresAt.getTime(),
    };
  }
}
