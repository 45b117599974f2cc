import type { App, Connection, Scope } from "../app.js";
import type { OnSecurityEvent, SecurityEvent } from "../ports/security-events.js";
import { steadyListener } from "../ports/steady-listener.js";
import type { Grant } from "../ports/token-verifier.js";
import type { Address } from "../scope.js";
import type { MaybeAuthenticated } from "./authenticated.js";
import { Refusal, type Verdict } from "./verdict.js";

/** What a scope says of where an event comes from. */
export interface Place {
  readonly type: Connection;
  readonly client: Address | undefined;
}

/** A refusal passes several who watch for it. The first of them knows most. */
const reported = new WeakSet<Refusal>();

/** Tells a listener what has been decided about connections, each event as one object. */
export class SecurityReports {
  readonly #tell: (event: SecurityEvent) => void;

  private constructor(tell: (event: SecurityEvent) => void) {
    this.#tell = tell;
  }

  /** Undefined where nobody listens. */
  static to(listener: OnSecurityEvent | undefined): SecurityReports | undefined {
    const tell = steadyListener(listener);
    return tell && new SecurityReports(tell);
  }

  /** A token was judged, or its absence. `carrier` is the name of what it came by, if there was one. */
  verdict(place: Place, carrier: string | undefined, verdict: Verdict): void {
    if (verdict !== undefined && !(verdict instanceof Refusal)) {
      this.login(place, carrier, verdict);
      return;
    }
    if (carrier === undefined || verdict?.error === "temporarily_unavailable") {
      if (verdict !== undefined) this.refused(place, verdict, undefined, carrier);
      return;
    }
    // Also where it only makes a client anonymous.
    if (verdict !== undefined) reported.add(verdict);
    this.failure(place, carrier, "invalid_token");
  }

  login({ type, client }: Place, carrier: string | undefined, { user, tokenId, sessionId }: Grant): void {
    this.#tell({ type: "login", userId: user.id, tokenId, sessionId, carrier, client: client?.host, protocol: type });
  }

  failure(
    { type, client }: Place,
    carrier: string | undefined,
    reason: "invalid_token" | "user_mismatch",
    grant?: Grant,
  ): void {
    this.#tell({
      type: "failure",
      reason,
      userId: grant?.user.id,
      tokenId: grant?.tokenId,
      sessionId: grant?.sessionId,
      carrier,
      client: client?.host,
      protocol: type,
    });
  }

  /** Who is on the connection was refused something, or its renewal. Told of once, whoever sees it first. */
  refused(place: Place, refusal: Refusal, grant: Grant | undefined, carrier?: string): void {
    if (reported.has(refusal)) return;
    reported.add(refusal);
    const { error: reason, scope } = refusal;
    if (reason === "invalid_token" || reason === "user_mismatch") {
      this.failure(place, carrier, reason, grant);
      return;
    }
    this.#tell({
      type: "refusal",
      reason,
      scope,
      userId: grant?.user.id,
      tokenId: grant?.tokenId,
      sessionId: grant?.sessionId,
      carrier,
      client: place.client?.host,
      protocol: place.type,
    });
  }

  /** Nobody is known yet. */
  refusedStranger({ type, client }: Place, reason: "timeout" | "origin" | "cross_site", carrier?: string): void {
    this.#tell({ type: "refusal", reason, carrier, client: client?.host, protocol: type });
  }

  renewal({ type, client }: Place, { user, tokenId, sessionId }: Grant): void {
    this.#tell({ type: "renewal", userId: user.id, tokenId, sessionId, client: client?.host, protocol: type });
  }

  /** A session has ended that no leases watch over. */
  loggedOut({ type, client }: Place, userId: string, sessionId: string): void {
    this.#tell({
      type: "revocation",
      of: "session",
      reason: "logged_out",
      userId,
      sessionId,
      closed: 0,
      elsewhere: false,
      client: client?.host,
      protocol: type,
    });
  }

  /** A scope inside of `TokenAuth` says who it is. */
  limit({ type, client, grant }: Place & { readonly grant?: Grant | undefined }, limit: string): void {
    this.#tell({
      type: "limit",
      limit,
      userId: grant?.user.id,
      tokenId: grant?.tokenId,
      sessionId: grant?.sessionId,
      client: client?.host,
      protocol: type,
    });
  }

  /** The application, where it lets a refusal escape: what `requireUser` and `requireScope` throw, wherever in it they stand. */
  watch<P extends Connection, Needs extends Pick<MaybeAuthenticated, "grant">>(inner: App<P, Needs>): App<P, Needs> {
    return (scope, receive, send) => {
      const failed = (error: unknown): never => {
        if (error instanceof Refusal) this.refused(scope as Scope<Connection>, error, scope.grant);
        throw error;
      };
      try {
        const run = inner(scope, receive, send);
        return run instanceof Promise ? run.catch(failed) : run;
      } catch (error) {
        return failed(error);
      }
    };
  }
}
