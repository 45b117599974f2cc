import { Agent } from "node:http";
import { systemClock } from "@sluice/core";
import { type IssuedJwt, JwtTokens } from "@sluice/tokens-jose";
import { RawWebSocket } from "../checks/raw-web-socket.js";
import { inParallel } from "../driver/in-parallel.js";
import { now, pause } from "../measure/now.js";
import { within } from "../soak/within.js";
import { Closures, type Holder, holders, patience } from "./closures.js";
import { revokeCall } from "./revoke-call.js";
import { claims, memberPath, welcome } from "./words.js";

export interface CrowdOptions {
  readonly sockets: number;
  /** One for each server. */
  readonly ports: readonly number[];
  /** What the tokens are signed with. */
  readonly secret: string;
}

/** How many join at one time. */
const width = 20;

/** Milliseconds between two looks at what is still open. */
const every = 20;

const hour = 3_600_000;

/** All clients of a check. */
export class Crowd {
  readonly closures: Closures;
  /** Why revocations were not answered as they should be. */
  readonly failures: string[] = [];
  readonly #options: CrowdOptions;
  readonly #holders: readonly Holder[];
  readonly #tokens: IssuedJwt[] = [];
  #revoking = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#holders = holders(options.sockets, options.ports.length);
    this.closures = new Closures(this.#holders);
  }

  get revoking(): boolean {
    return this.#revoking;
  }

  /** Resolves when everybody is a member, and has a lease. */
  async join(): Promise<void> {
    const { sockets, ports, secret } = this.#options;
    const issuer = new JwtTokens({ ...claims, keys: { current: secret }, clock: systemClock });
    for (let token = 0; token < sockets / ports.length; token++) {
      const user = { id: String(token), username: `user${token}`, name: `User ${token}` };
      this.#tokens.push(await issuer.issue(user, { expiresIn: hour }));
    }
    await inParallel(this.#holders, width, (holder) => this.#enter(holder));
  }

  /** Revokes one token after the other, at a server in turn. `revoking` says when it is over. */
  revoke(rate: number): void {
    this.#revoking = true;
    void this.#revokeAll(rate).finally(() => {
      this.#revoking = false;
    });
  }

  async #revokeAll(rate: number): Promise<void> {
    const { ports, sockets } = this.#options;
    const agent = new Agent({ keepAlive: true });
    let next = now();
    let last = next;
    for (const [token, { jti }] of this.#tokens.entries()) {
      await pause(Math.max(next - now(), 0));
      // From when it began: what a slow answer has delayed is not made up for.
      next = now() + 1_000 / rate;
      const server = token % ports.length;
      this.closures.called(token, server, now());
      try {
        last = await revokeCall(ports[server] ?? 0, jti, agent);
        this.closures.answered(token, last);
      } catch (error) {
        this.failures.push((error as Error).message);
      }
    }
    while (this.closures.size < sockets && now() < last + patience) await pause(every);
    agent.destroy();
  }

  #enter({ socket, token, server }: Holder): Promise<void> {
    let welcomed = (): void => {};
    const member = new Promise<void>((resolve) => {
      welcomed = resolve;
    });
    const { closing } = new RawWebSocket({
      port: this.#options.ports[server] ?? 0,
      path: memberPath,
      headers: [`Authorization: Bearer ${this.#tokens[token]?.token}`],
      onText: (text) => {
        if (text === welcome) welcomed();
      },
    });
    void closing.then((how) => this.closures.closed(socket, how));
    const ended = closing.then(({ how }): never => {
      throw new Error(`expected socket ${socket} to be welcomed, got the end (${how})`);
    });
    return within(Promise.race([member, ended]), `a welcome for socket ${socket}`);
  }
}
