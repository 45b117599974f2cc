import { availableParallelism } from "node:os";
import { hash, type ParsedHashOptions, parseOptions, verify } from "@node-rs/argon2";
import { ConfigurationError, type PasswordHasher } from "@sluice/core";
import { Turnstile } from "./turnstile.js";

/** What a hash costs, its maker and whoever wants to guess the password. */
export interface Argon2Cost {
  /** In KiB; 19456 if left out. */
  readonly memory?: number;
  /** Passes over the memory; 2 if left out. */
  readonly passes?: number;
  /** Threads for one hash; 1 if left out. */
  readonly parallelism?: number;
}

export interface Argon2HasherOptions extends Argon2Cost {
  /**
   * Hashes at once. If left out, as many as there are cores, and one less than libuv has threads (UV_THREADPOOL_SIZE),
   * since files, host names and the WebCrypto of every token check wait for the same threads.
   */
  readonly concurrency?: number;
}

/** What OWASP's Password Storage Cheat Sheet asks of argon2id. */
const defaultCost = { memory: 19_456, passes: 2, parallelism: 1 };

/** Beyond these, in KiB and passes, a hash is a trap and no password's: to verify it would take the machine down. */
const mostMemory = 1_048_576;
const mostPasses = 100;

/** The numbers of `Algorithm.Argon2id` and `Version.V0x13`, enums that have no value at run time. */
const argon2id = 2;
const version19 = 1;

const saltBytes = 16;
const hashBytes = 32;

/**
 * Hashes passwords with argon2id (RFC 9106) into PHC strings. A hash takes a core and much memory for some milliseconds,
 * so only so many run at once; the others queue.
 *
 * @example
 * const hasher = new Argon2Hasher();
 * const passwordHash = await hasher.hash("correct horse battery staple"); // $argon2id$v=19$m=19456,t=2,p=1$...
 * await hasher.verify(passwordHash, "Tr0ub4dor&3"); // false
 */
export class Argon2Hasher implements PasswordHasher {
  readonly #cost: Required<Argon2Cost>;
  readonly #turnstile: Turnstile;

  /** Throws `ConfigurationError` for a cost that argon2 does not know or that would stop the machine. */
  constructor(options: Argon2HasherOptions = {}) {
    const { memory, passes, parallelism, concurrency } = {
      ...defaultCost,
      concurrency: defaultConcurrency(),
      ...options,
    };
    assertWhole("concurrency", concurrency, 1, Number.MAX_SAFE_INTEGER);
    assertWhole("parallelism", parallelism, 1, 255);
    // RFC 9106 3.1: eight blocks of a KiB for each thread.
    assertWhole("memory", memory, 8 * parallelism, mostMemory);
    assertWhole("passes", passes, 1, mostPasses);
    this.#cost = { memory, passes, parallelism };
    this.#turnstile = new Turnstile(concurrency);
  }

  hash(password: string): Promise<string> {
    const { memory, passes, parallelism } = this.#cost;
    const options = { memoryCost: memory, timeCost: passes, parallelism, outputLen: hashBytes };
    return this.#turnstile.run(() => hash(password, options));
  }

  async verify(passwordHash: string, password: string): Promise<boolean> {
    if (parsed(passwordHash) === undefined) return false;
    return this.#turnstile.run(() => verify(passwordHash, password));
  }

  /** True also for a hash that is not one of this hasher's. */
  needsRehash(passwordHash: string): boolean {
    const found = parsed(passwordHash);
    if (found === undefined || found.version !== version19) return true;
    const { memory, passes, parallelism } = this.#cost;
    return (
      found.memoryCost < memory ||
      found.timeCost < passes ||
      found.parallelism < parallelism ||
      found.saltLen < saltBytes ||
      found.outputLen < hashBytes
    );
  }
}

/** What a hash of argon2id was made with; undefined for any other string. */
function parsed(passwordHash: string): ParsedHashOptions | undefined {
  let found: ParsedHashOptions;
  try {
    found = parseOptions(passwordHash);
  } catch {
    return undefined;
  }
  const isOurs = found.algorithm === argon2id && found.memoryCost <= mostMemory && found.timeCost <= mostPasses;
  return isOurs ? found : undefined;
}

function defaultConcurrency(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4;
  return Math.max(1, Math.min(availableParallelism(), threads - 1));
}

function assertWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new ConfigurationError(`expected ${name} to be a whole number from ${least} to ${most}, got ${value}`);
  }
}
