import type { AccountUser, RefreshTokens, RefreshTokenUse } from "@sluice/core";
import type { JwtTokens } from "@sluice/tokens-jose";

/** What a client that logs in by JWT holds. */
export interface JwtLogin {
  /** A JWT: opens connections, for a short time. */
  readonly access: string;
  /** Gets the next of both, once. */
  readonly refresh: string;
}

export interface JwtLoginsOptions {
  readonly jwt: JwtTokens;
  readonly refreshTokens: RefreshTokens;
  /** How long an access token lives, in milliseconds. */
  readonly lifetime: number;
}

/** What an access token says of its user. */
type Holder = Pick<AccountUser, "id" | "username" | "name">;

/** Logins by JWT: each is a family of refresh tokens, whose id its access tokens carry as their session. */
export class JwtLogins {
  readonly #options: JwtLoginsOptions;

  constructor(options: JwtLoginsOptions) {
    this.#options = options;
  }

  /** Somebody has just shown their password. */
  async begin(user: Holder, userAgent?: string): Promise<{ readonly sessionId: string; readonly tokens: JwtLogin }> {
    const { token, sessionId } = await this.#options.refreshTokens.issue(user.id, { userAgent });
    return { sessionId, tokens: { access: await this.#access(user, sessionId), refresh: token } };
  }

  /** Undefined for a refresh token that is no good, for whatever reason. */
  async renew(refresh: string, use: RefreshTokenUse): Promise<JwtLogin | undefined> {
    const rotated = await this.#options.refreshTokens.rotate(refresh, use);
    return rotated && { access: await this.#access(rotated.user, rotated.sessionId), refresh: rotated.token };
  }

  async #access(user: Holder, sessionId: string): Promise<string> {
    const { jwt, lifetime } = this.#options;
    return (await jwt.issue(user, { expiresIn: lifetime, sessionId })).token;
  }
}
