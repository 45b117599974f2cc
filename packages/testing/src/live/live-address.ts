import { failureAt } from "../failure-at.js";
import { applicationFailed, type Failures } from "../failures.js";
import type { RecordingLogger } from "../recording-logger.js";
import type { Handshake } from "../websocket-conversation.js";
import { LiveWebSocket, type LiveWebSocketOptions } from "./live-websocket.js";
import type { Watches } from "./watches.js";

/** What a live server's clients share. */
export interface LiveSite {
  readonly logger: RecordingLogger;
  readonly failures: Failures;
  readonly watches: Watches;
  /** Milliseconds of real time that each verb of a client waits. */
  readonly timeout: number;
  readonly expectErrors: boolean;
  readonly compression: boolean;
}

/** Where a live server can be reached, directly or through a network, and clients for it. */
export class LiveAddress {
  /** `http:` or `https:`, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly #site: LiveSite;

  /** The same server, where `of` is another address of it. */
  constructor(of: LiveSite | LiveAddress, url: string) {
    this.#site = of instanceof LiveAddress ? of.#site : of;
    this.url = url;
    this.port = Number(new URL(url).port);
  }

  /** `ws:` or `wss:`, without a trailing slash. */
  get webSocketUrl(): string {
    return this.url.replace(/^http/, "ws");
  }

  /** What the server logged, the application's failures among it. */
  get logger(): RecordingLogger {
    return this.#site.logger;
  }

  /** A client for a path such as `"/ws/chat/lobby/?token=abc"`, not connected yet: what a communicator is without sockets. */
  websocket(path: string, options: LiveWebSocketOptions = {}): LiveWebSocket {
    const { logger, failures, watches, timeout, expectErrors, compression } = this.#site;
    return new LiveWebSocket(
      this.webSocketUrl + path,
      { logger, failures, expect: (key) => watches.expect(key) },
      { timeout, expectErrors, compression, ...options },
    );
  }

  /** A client that has been accepted. Rejects if it is refused. */
  async connect(path: string, options: LiveWebSocketOptions = {}): Promise<LiveWebSocket> {
    const client = this.websocket(path, options);
    const handshake: Handshake = await client.connect();
    if (handshake.connected) return client;
    throw new Error(
      `expected ${path} to be accepted, got status ${handshake.status}: ${JSON.stringify(handshake.body)}; use websocket() to look at a refusal`,
    );
  }

  /**
   * `fetch` of a path on this server; it follows no redirect by itself, and waits as long for the head of the response as
   * the other verbs do. Rejects if the application fails. Over TLS, Node has to know the certificate's authority.
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { failures, timeout, expectErrors, watches } = this.#site;
    const at = new Error();
    const url = this.url + path;
    const given = init.signal;
    const late = new AbortController();
    const signal = given ? AbortSignal.any([given, late.signal]) : late.signal;
    const timer = setTimeout(() => late.abort(), timeout);
    try {
      const response = await fetch(url, { redirect: "manual", ...init, signal });
      const failure = response.status >= 500 && !expectErrors ? failures.take(undefined, true) : undefined;
      if (failure !== undefined) throw applicationFailed("a response", failure);
      return response;
    } catch (error) {
      if (given?.aborted === true) throw error;
      watches.tellOfRequests(new URL(url).pathname);
      throw late.signal.aborted ? this.#silent(at, timeout) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #silent(at: Error, timeout: number): Error {
    const facts = [...this.#site.watches.facts(), "that is all that is open"].join("; ");
    return failureAt(at, `expected a response, got nothing within ${timeout} ms; ${facts}${this.logger.lastTrouble()}`);
  }
}
