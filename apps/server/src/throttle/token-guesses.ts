import {
  type Address,
  type Carrier,
  type Clock,
  type Connection,
  growScope,
  type MaybeAuthenticated,
  type Middleware,
  middleware,
  provide,
  Refusal,
  type Renew,
  sharedAddress,
} from "@sluice/core";
import type { TellSecurityEvent } from "../security-log.js";
import { inMemory } from "./counter.js";
import { Throttled } from "./throttled.js";

/** Seconds in which the wrong tokens of one address are counted. */
const window = 60;

/** For what reads tokens itself. Nothing bounds a client whose address nobody knows. */
export interface Guess {
  readonly guess:
    | {
        /** A token was no good. */
        wasWrong(): void;
        /** Why none may be tried now; undefined where one may. An event tells of it. */
        refusal(): Throttled | undefined;
      }
    | undefined;
}

export interface TokenGuessesOptions {
  /** Wrong tokens that an address may send in a minute; 0 for no bound. */
  readonly most: number;
  readonly clock: Clock;
  readonly onSecurityEvent: TellSecurityEvent;
}

/**
 * Refuses with 429 what carries a token, from an address that has sent too many wrong ones, before anybody looks at it. What
 * carries none is let in. One middleware stands outside of `TokenAuth`. The other stands inside, where tokens come by renewals.
 */
export function limitGuesses(options: TokenGuessesOptions): {
  /** `from` is where the tokens of the `TokenAuth` inside come from. */
  outside(from: readonly Pick<Carrier, "find">[]): Middleware<{}, Guess>;
  readonly inside: Middleware<Guess & Pick<MaybeAuthenticated, "renew">>;
  /** For `TokenAuth`: counts the wrong tokens, whichever way they come, and tells of everything. */
  readonly onSecurityEvent: TellSecurityEvent;
} {
  const { most, clock, onSecurityEvent } = options;
  const wrongTokens = inMemory("wrong tokens", window);
  const refusedUntil = new Map<string, number>();

  async function count(host: string): Promise<void> {
    const address = sharedAddress(host);
    const { consumedPoints, msBeforeNext } = await wrongTokens.penalty(address);
    if (consumedPoints !== most) return;
    refusedUntil.set(address, clock.now() + msBeforeNext);
    clock.after(msBeforeNext, () => refusedUntil.delete(address));
  }

  function guessOf({ host }: Address, protocol: Connection): NonNullable<Guess["guess"]> {
    return {
      wasWrong: () => void count(host),
      refusal() {
        const until = refusedUntil.get(sharedAddress(host));
        if (until === undefined) return undefined;
        onSecurityEvent({ type: "limit", limit: "tokens", client: host, protocol });
        return new Throttled(until - clock.now());
      },
    };
  }

  return {
    outside: (from) =>
      provide((scope): Guess => {
        if (most === 0 || scope.client === undefined) return { guess: undefined };
        const guess = guessOf(scope.client, scope.type);
        const refusal = from.some((carrier) => carrier.find(scope).length > 0) ? guess.refusal() : undefined;
        if (refusal !== undefined) throw refusal;
        return { guess };
      }),
    inside: middleware<Guess & Pick<MaybeAuthenticated, "renew">>((inner) => (scope, receive, send) => {
      const { guess, renew } = scope;
      if (guess === undefined || renew === undefined) return inner(scope, receive, send);
      const bounded: Renew = async (token, check) => {
        const refusal = guess.refusal();
        if (refusal !== undefined) throw new Refusal("unavailable", refusal);
        return renew(token, check);
      };
      return inner(growScope(scope, { renew: bounded }), receive, send);
    }),
    onSecurityEvent(event) {
      const isGuess = event.type === "failure" && event.reason === "invalid_token";
      if (isGuess && most > 0 && event.client !== undefined) void count(event.client);
      onSecurityEvent(event);
    },
  };
}
