import type { MaybePromise } from "../app.js";
import type { Leases } from "../leases/leases.js";
import { type Digest, webDigest } from "../ports/digest.js";
import type { Grant, TokenVerifier } from "../ports/token-verifier.js";
import { checkRange } from "../session/check-range.js";
import type { User } from "./user.js";

export interface TokenCacheOptions<Who extends User> {
  /** Asked about each token of which nothing is known. */
  readonly verifier: TokenVerifier<Who>;
  /** Through which revocations come, of this process and of others. The time is theirs, too. */
  readonly leases: Leases;
  /**
   * Milliseconds for which an answer is good: 10,000 if left out, 60,000 at most, which is for how long revocations are
   * remembered. So late is noticed what nobody tells of: an account that was made inactive in its store.
   */
  readonly maxAge?: number | undefined;
  /** How many grants it holds at most: 20,000 if left out. */
  readonly maxSize?: number | undefined;
  /** `webDigest` if left out, which takes about half as long as to verify a JWT. One that answers at once saves the rest. */
  readonly digest?: Digest | undefined;
}

/** What a verification has found out. */
interface Verified<Who extends User> {
  readonly grant: Grant<Who>;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
}

/** A verification that is under way. */
interface Verification<Who extends User> {
  readonly answer: Promise<Grant<Who> | undefined>;
  readonly since: number;
}

/**
 * Remembers for a short time what a verifier has said of good tokens, so that a client that comes again costs a digest. It
 * keeps digests, never tokens, and good tokens only: one that was refused is asked about again.
 *
 * A grant is given from memory only while the leases vouch for it. One that is revoked through `Leases` is forgotten at
 * once here, and elsewhere as soon as that process hears of it; a process that knows itself to be cut off from the layer
 * asks the verifier about every token. Take a token out of its store before you revoke it there, as always: who asks the
 * verifier in between would be told that it is good. What is taken back past the leases, or by a process that is cut off
 * itself, is good for `maxAge` longer.
 *
 * The `verify` of the leases must ask the store and not this. Throws `ConfigurationError` for a number out of range.
 *
 * @example
 * const verifier = new TokenCache({ verifier: tokens, leases, digest: (text) => hash("sha256", text, "hex") });
 * const chat = TokenAuth(asApp(Chat, { layer }), { verifier, from: [fromHeader()], leases });
 */
export class TokenCache<Who extends User> implements TokenVerifier<Who> {
  readonly #verifier: TokenVerifier<Who>;
  readonly #leases: Leases;
  readonly #maxAge: number;
  readonly #maxSize: number;
  readonly #digest: Digest;
  /** By the digest of the token, what was found out first standing first. */
  readonly #verified = new Map<string, Verified<Who>>();
  /** When there may be something that is too old. */
  #nextLook = 0;
  readonly #underWay = new Map<string, Verification<Who>>();

  constructor(options: TokenCacheOptions<Who>) {
    const { verifier, leases, maxAge = 10_000, maxSize = 20_000, digest = webDigest } = options;
    checkRange("maxAge", maxAge, 1, 60_000);
    checkRange("maxSize", maxSize, 1, 10_000_000);
    this.#verifier = verifier;
    this.#leases = leases;
    this.#maxAge = maxAge;
    this.#maxSize = maxSize;
    this.#digest = digest;
  }

  /** How many grants it holds, those among them that have become too old or worse since. */
  get size(): number {
    return this.#verified.size;
  }

  verify(token: string): MaybePromise<Grant<Who> | undefined> {
    const digest = this.#digest(token);
    return digest instanceof Promise ? digest.then((key) => this.#verify(token, key)) : this.#verify(token, digest);
  }

  #verify(token: string, key: string): MaybePromise<Grant<Who> | undefined> {
    const known = this.#verified.get(key);
    if (known !== undefined) {
      if (this.#isGood(known)) return known.grant;
      this.#verified.delete(key);
    }
    const verification = this.#underWay.get(key);
    // One that hangs must not keep everybody with that token waiting.
    const isRecent = verification !== undefined && this.#leases.now() - verification.since < this.#maxAge;
    return isRecent ? this.#join(verification, token) : this.#ask(token, key);
  }

  #ask(token: string, key: string): MaybePromise<Grant<Who> | undefined> {
    const since = this.#leases.now();
    const answer = this.#verifier.verify(token);
    if (answer instanceof Promise) return this.#follow({ answer, since }, key);
    this.#remember(answer, since, key);
    return answer;
  }

  async #follow(verification: Verification<Who>, key: string): Promise<Grant<Who> | undefined> {
    this.#underWay.set(key, verification);
    try {
      const grant = await verification.answer;
      this.#remember(grant, verification.since, key);
      return grant;
    } finally {
      if (this.#underWay.get(key) === verification) this.#underWay.delete(key);
    }
  }

  /** What began earlier may have missed what has happened since, for which the token is asked about once more. */
  async #join({ answer, since }: Verification<Who>, token: string): Promise<Grant<Who> | undefined> {
    const grant = await answer;
    return grant !== undefined && this.#isGood({ grant, since }) ? grant : this.#verifier.verify(token);
  }

  #isGood({ grant, since }: Verified<Who>): boolean {
    const now = this.#leases.now();
    const age = now - since;
    // Where the clock was put back, nobody knows how old it is.
    return (
      age >= 0 &&
      age < this.#maxAge &&
      (grant.expiresAt === undefined || now < grant.expiresAt) &&
      this.#leases.vouchesFor(grant, since)
    );
  }

  /** Unless it is too late for that. */
  #remember(grant: Grant<Who> | undefined, since: number, key: string): void {
    if (grant === undefined || !this.#isGood({ grant, since })) return;
    this.#verified.set(key, { grant, since });
    this.#forget(this.#leases.now());
  }

  /**
   * What is oldest makes room, as it would have to be asked about first: many at a time, since a Map comes to its first entry
   * by walking past the places of all that were deleted before it.
   */
  #forget(now: number): void {
    const isFull = this.#verified.size > this.#maxSize;
    if (!isFull && now < this.#nextLook) return;
    this.#nextLook = now + this.#maxAge / 8;
    let surplus = isFull ? Math.ceil(this.#maxSize / 8) : 0;
    for (const [key, { since }] of this.#verified) {
      if (surplus <= 0 && since > now - this.#maxAge) return;
      this.#verified.delete(key);
      surplus -= 1;
    }
  }
}
