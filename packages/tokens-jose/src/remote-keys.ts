import { type Clock, KeysUnavailable } from "@sluice/core";
import {
  type CompactJWSHeaderParameters,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type RemoteJWKSet,
} from "jose";
import { boundedFetch } from "./bounded-fetch.js";

/** How the keys are fetched and kept; times in milliseconds. */
export interface RemoteKeysOptions {
  readonly url: URL;
  readonly clock: Clock;
  readonly cacheMaxAge: number;
  readonly staleIfError: number;
  readonly cooldown: number;
  readonly timeout: number;
  readonly maxSize: number;
}

/** Milliseconds between two attempts at a server that fails: it is back sooner than new keys are there. */
const retryPause = 1000;

/**
 * The public keys of an issuer, from its JWK Set. jose fetches, reads and chooses; when to fetch is decided here:
 *
 * - keys are used for `cacheMaxAge`; who comes after that waits for new ones;
 * - a key that is not among them has them fetched anew, but once in a `cooldown`, whatever names tokens come up with;
 * - where that fails there is one attempt a second, and the keys that are there are used for `staleIfError` more.
 */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  readonly #keys: RemoteJWKSet;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failure: { readonly at: number; readonly error: KeysUnavailable } | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    this.#keys = createRemoteJWKSet(options.url, {
      // It has no say in when to fetch: it knows neither our clock nor failures.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
      timeoutDuration: options.timeout,
      [customFetch]: (url, init) => boundedFetch(url, init, options.maxSize),
    });
  }

  /**
   * The key that a token's header names. Rejects with one of jose's errors where the issuer has no such key, and with
   * `KeysUnavailable` where nobody can say.
   */
  async find(header: CompactJWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const { cacheMaxAge, staleIfError, cooldown } = this.#options;
    if (this.#age() >= cacheMaxAge) {
      const failure = await this.#fetch();
      if (failure !== undefined && this.#age() >= cacheMaxAge + staleIfError) throw failure;
    }
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#age() < cooldown) throw error;
    }
    const failure = await this.#fetch();
    if (failure !== undefined) throw failure;
    return this.#keys(header, token);
  }

  #age(): number {
    return this.#options.clock.now() - this.#fetchedAt;
  }

  /**
   * Fetches the keys; jose does so once for all who ask meanwhile. Resolves with what went wrong, now or less than a second
   * ago.
   */
  async #fetch(): Promise<KeysUnavailable | undefined> {
    const { clock, url } = this.#options;
    if (this.#failure !== undefined && clock.now() - this.#failure.at < retryPause) return this.#failure.error;
    try {
      await this.#keys.reload();
      this.#fetchedAt = clock.now();
      this.#failure = undefined;
    } catch (cause) {
      // Its query may hold what is nobody's business.
      const error = new KeysUnavailable(`the keys at ${url.origin}${url.pathname} could not be fetched`, { cause });
      this.#failure = { at: clock.now(), error };
    }
    return this.#failure?.error;
  }
}
