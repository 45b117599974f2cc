import type { Result } from "autocannon";
import { account, eventStream, type HttpPlace, paths, site } from "../servers/site.js";
import { answerTimeLimit } from "./connection.js";
import type { Load, Outcome, Visit } from "./load.js";

/** Requests that are under way at a time, each on a connection of its own. */
const connections = 16;

/** What is asked of a place, and whether that is what it answers. */
interface Exchange {
  readonly method: "GET" | "POST";
  readonly body?: string;
  isRight(body: string): boolean;
}

const exchanges: Readonly<Record<HttpPlace, Exchange>> = {
  login: {
    method: "POST",
    body: JSON.stringify({ username: account.username, password: account.password }),
    isRight: (body) => /^\{"token":"[\w-]+\.[\w-]+\.[\w-]+"\}$/.test(body),
  },
  me: { method: "GET", isRight: (body) => /^\{"id":"\d+","username":"user\d+","name":"User \d+"\}$/.test(body) },
  ticket: { method: "POST", isRight: (body) => /^\{"ticket":"[\w-]{43}"\}$/.test(body) },
  events: { method: "GET", isRight: (body) => body === eventStream.event.repeat(eventStream.count) },
};

/** Requests by autocannon, over connections that stay. */
export class HttpLoad implements Load {
  readonly #visit: Visit;
  readonly #place: HttpPlace;
  #token = "";

  constructor(visit: Visit, place: HttpPlace) {
    this.#visit = visit;
    this.#place = place;
  }

  async prepare(): Promise<void> {
    // Most loads do without it, and it takes a while.
    await import("autocannon");
    this.#token = await this.#visit.tokens.fresh();
  }

  async run(): Promise<void> {
    const { port, units } = this.#visit;
    const { method, body, isRight } = exchanges[this.#place];
    let wrong: string | undefined;
    // Loaded before: see prepare.
    const { default: autocannon } = await import("autocannon");
    const result = await autocannon({
      url: `http://127.0.0.1:${port}${paths[this.#place]}`,
      method,
      headers: {
        host: site.allowedHost,
        origin: `https://${site.allowedHost}`,
        ...(this.#place === "login" ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body }),
      connections: Math.min(connections, units),
      amount: units,
      // It notices only so often that it has had all answers.
      sampleInt: 10,
      timeout: answerTimeLimit / 1_000,
      verifyBody: (came) => {
        const text = String(came);
        const right = isRight(text);
        if (!right) wrong ??= text;
        return right;
      },
    });
    this.#check(result, wrong);
  }

  async finish(): Promise<Outcome> {
    return { units: this.#visit.units, lost: 0 };
  }

  #check(result: Result, wrong: string | undefined): void {
    const { "2xx": good, non2xx, errors, timeouts, mismatches } = result;
    if (good === this.#visit.units && non2xx + errors + timeouts + mismatches === 0) return;
    const statuses = Object.keys(result.statusCodeStats ?? {}).join(", ") || "none";
    throw new Error(
      `expected ${this.#visit.units} right answers from ${paths[this.#place]}, got ${good} of status 2xx and ${non2xx} others ` +
        `(${statuses}), ${errors} errors, of which ${timeouts} took longer than ${answerTimeLimit} ms, and ${mismatches} ` +
        `wrong bodies${wrong === undefined ? "" : ` of ${wrong.length} characters`}`,
    );
  }
}
