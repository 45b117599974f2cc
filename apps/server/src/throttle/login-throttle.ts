import { type Address, sharedAddress } from "@sluice/core";
import type { OpenCounter } from "./counter.js";
import { FailureDelay } from "./failure-delay.js";
import { FailureLimit } from "./failure-limit.js";
import type { Hurdle } from "./hurdle.js";
import { Lanes } from "./lanes.js";
import { Throttled } from "./throttled.js";

/** Seconds in which the failures of one address are counted. */
export const addressWindow = 15 * 60;
/** Seconds after the first failure of an account when all of them are forgotten. */
export const failuresKept = 24 * 3600;
/** Seconds for which an address is known to an account that has logged in from there. */
export const addressKept = 14 * 24 * 3600;
/** The longest, in seconds, that an account's owner at a new address can be made to wait by strangers. */
export const longestWaitForStrangers = 60;

export interface LoginThrottleRules {
  /** 0 for no bound. */
  readonly failuresPerAddress: number;
  readonly failuresBeforeDelay: number;
  /** In seconds; 0 for no delays. */
  readonly longestDelay: number;
}

/**
 * Stands between strangers and passwords.
 *
 * Whoever fails to log in to an account has to wait for a time of their own, by address, that doubles with each failure.
 * At an address that the account has not logged in from, they wait for what others in the same case have failed at, too: many
 * addresses are no way around it. At one it has logged in from they do not, so nobody can lock the owner out. Beside that an
 * address may fail so many times, whatever the accounts.
 */
export class LoginThrottle {
  readonly #addresses: FailureLimit | undefined;
  readonly #own: FailureDelay | undefined;
  readonly #strangers: FailureDelay | undefined;
  readonly #known: ReturnType<OpenCounter>;
  // Counts have what is under way in them. These keep it small, so that many right passwords at a time do not look like guesses.
  readonly #perAddress: Lanes;
  readonly #perAccount = new Lanes(1);

  constructor(rules: LoginThrottleRules, open: OpenCounter) {
    const { failuresPerAddress, failuresBeforeDelay: from, longestDelay: longest } = rules;
    if (failuresPerAddress > 0) {
      this.#addresses = new FailureLimit(open("login address", addressWindow), failuresPerAddress);
    }
    if (longest > 0) {
      const failures = open("login failures", failuresKept);
      const pauses = open("login pause", longest);
      this.#own = new FailureDelay({ failures, pauses, from, longest });
      this.#strangers = new FailureDelay({
        failures,
        pauses,
        from,
        longest: Math.min(longest, longestWaitForStrangers),
      });
    }
    this.#known = open("login known", addressKept);
    this.#perAddress = new Lanes(failuresPerAddress > 0 ? Math.ceil(failuresPerAddress / 8) : Number.POSITIVE_INFINITY);
  }

  /**
   * Has a password verified. `verify` resolves with undefined for one that is wrong; if it rejects, nothing was tried.
   * Rejects with `Throttled`, without a call, where the client has to wait. `account` may be any text without spaces, for an
   * account that there is not, too; `client` is undefined where the transport cannot tell.
   */
  login<Result>(
    account: string,
    client: Address | undefined,
    verify: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    if (client === undefined) {
      return this.#perAccount.run(account, () => this.#attempt([this.#strangers?.of(account)], verify));
    }
    const address = sharedAddress(client.host);
    const pair = `${account} ${address}`;
    const attempt = async (): Promise<Result | undefined> => {
      const known = await this.#known.get(pair);
      const isKnown = known !== null && known.msBeforeNext > 0;
      const hurdles = [this.#addresses?.of(address), this.#own?.of(pair)];
      const result = await this.#attempt(isKnown ? hurdles : [...hurdles, this.#strangers?.of(account)], verify);
      if (result !== undefined && (!isKnown || known.msBeforeNext < (addressKept * 1000) / 2)) {
        await this.#known.set(pair, 1, addressKept);
      }
      return result;
    };
    return this.#perAddress.run(address, () => this.#perAccount.run(pair, attempt));
  }

  /**
   * Has a user registered: to be told that a name is taken is to be told of an account. `register` resolves with undefined
   * where it refuses to. Rejects with `Throttled` as `login` does.
   */
  registration<Result>(
    client: Address | undefined,
    register: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    if (client === undefined) return register();
    const address = sharedAddress(client.host);
    return this.#perAddress.run(address, () => this.#attempt([this.#addresses?.of(address)], register));
  }

  async #attempt<Result>(
    hurdles: readonly (Hurdle | undefined)[],
    act: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    const taken: Hurdle[] = [];
    const giveBack = () => Promise.all(taken.map((hurdle) => hurdle.giveBack()));
    for (const hurdle of hurdles) {
      if (hurdle === undefined) continue;
      const wait = await hurdle.take();
      if (wait > 0) {
        await giveBack();
        throw new Throttled(wait);
      }
      taken.push(hurdle);
    }
    let result: Result | undefined;
    try {
      result = await act();
    } catch (error) {
      await giveBack();
      throw error;
    }
    if (result !== undefined) await Promise.all(taken.map((hurdle) => hurdle.clear()));
    return result;
  }
}
