import { checkCookieName } from "../cookies/cookie-pairs.js";
import { ConfigurationError } from "../errors.js";

export interface SessionCookieOptions {
  /** `"__Host-sessionid"` if left out, `"sessionid"` where it is not secure. */
  readonly cookie?: string;
  /**
   * False for a developer's own machine without TLS: some browsers keep no secure cookie of `http://localhost`. True if
   * left out.
   */
  readonly secure?: boolean;
}

/** What browsers keep only from the host itself, for all of its paths and over TLS (RFC 6265bis 4.1.3.2). */
const hostPrefix = "__Host-";

/** The cookie that carries a session's key: no script reads it, and pages of other sites send it along with links only. */
export class SessionCookie {
  readonly name: string;
  readonly #attributes: string;

  /** Throws `ConfigurationError` for a name that browsers would not take. */
  constructor({ secure = true, cookie = secure ? `${hostPrefix}sessionid` : "sessionid" }: SessionCookieOptions) {
    checkCookieName(cookie);
    if (secure !== cookie.startsWith(hostPrefix)) {
      throw new ConfigurationError(
        secure
          ? `expected cookie to begin with "${hostPrefix}", so that no other host can set it, got "${cookie}"; where there is no TLS, say secure: false`
          : `expected cookie without "${hostPrefix}", which browsers take from secure origins only, got "${cookie}" with secure: false`,
      );
    }
    this.name = cookie;
    this.#attributes = `Path=/; HttpOnly; ${secure ? "Secure; " : ""}SameSite=Lax`;
  }

  /** The value of a Set-Cookie header. `maxAge` in milliseconds. */
  set(key: string, maxAge: number): string {
    return `${this.name}=${key}; Max-Age=${Math.floor(maxAge / 1000)}; ${this.#attributes}`;
  }

  /** The same for one that is to go. */
  clear(): string {
    return `${this.name}=; Max-Age=0; ${this.#attributes}`;
  }
}
