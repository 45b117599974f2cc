import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { App, Clock, Limits, Logger, Protocol } from "@sluice/core";
import { onTestFinished, type TestFunction, test } from "vitest";
import { RecordingLogger } from "../../recording-logger.js";

/** What the suite asks of an adapter's `serve`. An adapter may take more options than these. */
export type Serve = (app: App, options: TransportOptions) => Promise<TransportServer>;

export interface TransportOptions {
  readonly port: number;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  readonly rootPath?: string;
  readonly maxBackpressure?: number;
  /** Seconds. */
  readonly idleTimeout?: number;
}

export interface TransportServer {
  readonly port: number;
  readonly url: string;
  readonly connections: { readonly http: number; readonly websocket: number };
  close(options?: { readonly deadline?: number }): Promise<void>;
}

/** What a driver may be unable to do. A test that needs it is skipped, for the reason given. */
export type Capability =
  /** Fails a connection whose client does not mask its frames. */
  | "checksMask"
  /** Stops reading from a WebSocket whose inbox is full. */
  | "pausesWebSockets"
  /** Tells the application every close code that a client may send. */
  | "reportsEveryCloseCode"
  /** Keeps requests that come before the response to the one before them. */
  | "pipelines"
  /** Answers a client that has closed its sending half. */
  | "servesHalfClosed"
  /** Hands over the bytes of header values beyond ASCII, as Latin-1. */
  | "readsLatin1"
  /** Ignores extensions of the chunks of a request body (RFC 9112 7.1.1). */
  | "readsChunkExtensions"
  /** Answers header lines with control bytes with 400. */
  | "refusesControlBytes"
  /** Sends the head of a streamed response before its first byte of body. */
  | "sendsHeadAlone";

export interface TransportContract {
  readonly name: string;
  readonly serve: Serve;
  /** What this transport cannot do, each with the reason. */
  readonly lacks?: Readonly<Partial<Record<Capability, string>>>;
}

/** A test that needs a capability: a skip that says why where the transport lacks it. */
export function testIfCapable(
  { lacks = {} }: TransportContract,
  capability: Capability,
  title: string,
  run: TestFunction,
): void {
  test(title, (context) => {
    const reason = lacks[capability];
    if (reason !== undefined) context.skip(reason);
    return run(context);
  });
}

/** One application per protocol. Without one for the lifespan, the server starts as if it did not care. */
export type Applications = { readonly [P in Protocol]?: App<P> };

export interface Site {
  readonly server: TransportServer;
  readonly port: number;
  readonly logger: RecordingLogger;
}

/** Serves the applications until the test is over. */
export async function start(
  { serve }: TransportContract,
  applications: Applications,
  options: Partial<TransportOptions> = {},
): Promise<Site> {
  const logger = new RecordingLogger();
  const server = await serve(compose(applications), { port: 0, logger, ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return { server, port: server.port, logger };
}

export function compose(applications: Applications): App {
  return (scope, receive, send) => {
    // The table has the application for this very protocol, which the type of the union cannot say.
    const application = applications[scope.type] as App | undefined;
    return application?.(scope, receive, send);
  };
}

/** Comes back in a later turn of the event loop, from outside any callback of the transport's. */
export async function realIo(): Promise<void> {
  await readFile(new URL(import.meta.url));
  await nextTurn();
}
