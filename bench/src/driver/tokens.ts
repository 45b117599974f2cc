import { systemClock } from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { site } from "../servers/site.js";
import type { MakeTokens } from "./opaque-tokens.js";

const hour = 3_600_000;

/** Makes the tokens of a run: each is another one, for another user. */
export class Tokens {
  readonly #issuer: JwtTokens;
  readonly #issuerInThePast: JwtTokens;
  #users = 0;
  #makeOpaque: Promise<MakeTokens> | undefined;

  constructor(secret: string) {
    const options = { keys: { current: secret }, issuer: site.issuer, audience: site.audience };
    this.#issuer = new JwtTokens({ ...options, clock: systemClock });
    this.#issuerInThePast = new JwtTokens({ ...options, clock: { ...systemClock, now: () => Date.now() - 2 * hour } });
  }

  /** So many opaque ones, each known to the database of the run. */
  async opaque(count: number): Promise<readonly string[]> {
    this.#makeOpaque ??= import("./opaque-tokens.js").then(({ opaqueTokens }) => opaqueTokens());
    return (await this.#makeOpaque)(count);
  }

  fresh(): Promise<string> {
    return this.#issue(this.#issuer);
  }

  expired(): Promise<string> {
    return this.#issue(this.#issuerInThePast);
  }

  /** With the signature of another token. */
  async forged(): Promise<string> {
    const [head, payload] = (await this.fresh()).split(".");
    const [, , signature] = (await this.fresh()).split(".");
    return `${head}.${payload}.${signature}`;
  }

  async #issue(issuer: JwtTokens): Promise<string> {
    const number = ++this.#users;
    const user = { id: String(number), username: `user${number}`, name: `User ${number}` };
    const { token } = await issuer.issue(user, { expiresIn: hour });
    return token;
  }
}
