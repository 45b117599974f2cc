import {
  type Carrier,
  type Clock,
  DenyConnection,
  growScope,
  type MaybeAuthenticated,
  type Middleware,
  middleware,
  provide,
  Refusal,
  type Renew,
  sharedAddress,
} from "@sluice/core";
import { inMemory } from "./counter.js";
import { Throttled } from "./throttled.js";

/** Seconds in which the wrong tokens of one address are counted. */
const window = 60;

/** On a connection that carries a token: what to do when one is no good, and whether others may be tried. */
interface Guess {
  readonly guess: { wasWrong(): void; readonly isRefused: boolean } | undefined;
}

/** What `TokenAuth` has found out, and how a client may try another token. */
type Renewable = Pick<MaybeAuthenticated, "grant" | "renew">;

export interface TokenGuessesOptions {
  /** Wrong tokens that an address may send in a minute; 0 for no bound. */
  readonly most: number;
  readonly clock: Clock;
}

/**
 * Refuses with 429 what carries a token, from an address that has sent too many wrong ones, before anybody looks at it. What
 * carries none is not concerned. One middleware stands outside of `TokenAuth`. The other stands inside, where a token that is no
 * good makes a client anonymous, and where tokens come by renewals.
 */
export function limitGuesses(options: TokenGuessesOptions): {
  /** `from` is where the tokens of the `TokenAuth` inside come from. */
  outside(from: readonly Pick<Carrier, "find">[]): Middleware<{}, Guess>;
  readonly inside: Middleware<Guess & Renewable>;
} {
  const { most, clock } = options;
  const wrongTokens = inMemory("wrong tokens", window);
  const refusedUntil = new Map<string, number>();

  async function count(address: string): Promise<void> {
    const { consumedPoints, msBeforeNext } = await wrongTokens.penalty(address);
    if (consumedPoints !== most) return;
    refusedUntil.set(address, clock.now() + msBeforeNext);
    clock.after(msBeforeNext, () => refusedUntil.delete(address));
  }

  function guessOf(host: string): Guess {
    const address = sharedAddress(host);
    const until = refusedUntil.get(address);
    if (until !== undefined) throw new Throttled(until - clock.now());
    return {
      guess: {
        wasWrong: () => void count(address),
        get isRefused() {
          return refusedUntil.has(address);
        },
      },
    };
  }

  const watched = middleware<Guess>((inner) => (scope, receive, send) => {
    const { guess } = scope;
    if (guess === undefined) return inner(scope, receive, send);
    const failed = (error: unknown): never => {
      if (error instanceof DenyConnection && error.status === 401) guess.wasWrong();
      throw error;
    };
    try {
      const ended = inner(scope, receive, send);
      return ended instanceof Promise ? ended.catch(failed) : ended;
    } catch (error) {
      return failed(error);
    }
  });

  return {
    outside(from) {
      const withGuess = provide((scope): Guess => {
        const carriesToken = most > 0 && from.some((carrier) => carrier.find(scope).length > 0);
        return carriesToken && scope.client !== undefined ? guessOf(scope.client.host) : { guess: undefined };
      });
      return (inner) => withGuess(watched(inner));
    },
    inside: middleware<Guess & Renewable>((inner) => (scope, receive, send) => {
      const { guess, grant, renew } = scope;
      if (guess === undefined) return inner(scope, receive, send);
      if (grant === undefined) guess.wasWrong();
      if (renew === undefined) return inner(scope, receive, send);
      const counted: Renew = async (token, check) => {
        if (guess.isRefused) throw new Refusal("unavailable");
        try {
          return await renew(token, check);
        } catch (error) {
          if (error instanceof Refusal && error.error === "invalid_token") guess.wasWrong();
          throw error;
        }
      };
      return inner(growScope(scope, { renew: counted }), receive, send);
    }),
  };
}
