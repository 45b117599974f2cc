import {
  type App,
  type Clock,
  type ProtocolServerOptions,
  type ServeOptions,
  type Server,
  systemClock,
  type TransportSettings,
} from "@sluice/core";
import { applicationsFailed, type Failure, Failures } from "../failures.js";
import { FakeClock } from "../fake-clock.js";
import { RecordingLogger } from "../recording-logger.js";
import { within } from "../within.js";
import { LiveAddress, type LiveSite } from "./live-address.js";
import { Watches } from "./watches.js";

export interface LiveServerOptions extends TransportSettings, Partial<ProtocolServerOptions> {
  /** A transport's: what it takes beyond `ServeOptions` can be given in a function around it. */
  readonly serve: (app: App, options: ServeOptions) => Promise<Server>;
  /** Milliseconds of real time that applications may take to return at the end of the test. 2,000 if left out. */
  readonly deadline?: number;
  /** Milliseconds of real time that each verb of a client waits. 1,000 if left out. */
  readonly timeout?: number;
  /**
   * The application is meant to fail: its failures come as a client sees them, 500 or 1011. If left out, the verb that
   * runs into one rejects with it, and so does the end of the test with those that none ran into.
   */
  readonly expectErrors?: boolean;
}

/**
 * Serves `app` on a free port of 127.0.0.1 until the end of the block. What is logged is kept in `logger`, and goes on to
 * the logger of the options if there is one. Rejects as `serve` does.
 *
 * @example
 * await using server = await liveServer(application, { serve });
 * await using client = await server.connect("/ws/chat/lobby/");
 * expect((await server.fetch("/")).status).toBe(200);
 */
export async function liveServer(app: App, options: LiveServerOptions): Promise<LiveServer> {
  const { serve, deadline = 2_000, timeout = 1_000, expectErrors = false, ...rest } = options;
  const logger = new RecordingLogger(options.logger);
  const watches = new Watches();
  const server = await serve(watches.wrap(app), { ...rest, host: "127.0.0.1", port: 0, logger });
  const compression = options.compression ?? false;
  const site = { logger, failures: new Failures(logger), watches, timeout, expectErrors, compression };
  return new LiveServer(server, site, deadline, options.clock ?? systemClock);
}

/** Milliseconds that core gives the lifespan shutdown in any case, and as many for the sockets. */
const grace = 2_000;

/** A server of a test, with clients for it. */
export class LiveServer extends LiveAddress implements AsyncDisposable {
  readonly #server: Server;
  readonly #site: LiveSite;
  readonly #deadline: number;
  readonly #clock: Clock;
  #closed: Promise<void> | undefined;

  constructor(server: Server, site: LiveSite, deadline: number, clock: Clock) {
    super(site, server.url);
    this.#server = server;
    this.#site = site;
    this.#deadline = deadline;
    this.#clock = clock;
  }

  /** How many connections have an application running or a client waiting. */
  get connections(): Server["connections"] {
    return this.#server.connections;
  }

  get counts(): Server["counts"] {
    return this.#server.counts;
  }

  /** What the application failed with so far and no verb has told of: the end of the test will not tell of it again. */
  takeFailures(): unknown[] {
    return this.#site.failures.takeAll().map(({ error }) => error);
  }

  /**
   * Closes the server, within the deadline of real time whatever the clock. Rejects with an `AggregateError` of what the
   * application failed with and nobody has been told of, and if applications have not returned in time. Once.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = this.#server.close({ deadline: this.#deadline });
    // The reasons below are told first; a shutdown that fails is told by the last line.
    closed.catch(() => {});
    const inTime = await within(this.#deadline, Promise.allSettled([closed]));
    const stuck = this.#site.watches.untold();
    // Nobody else moves it any more.
    if (!inTime && this.#clock instanceof FakeClock) await this.#clock.advance(this.#deadline + grace);
    const done = await within(grace, Promise.allSettled([closed]));
    const failures: Failure[] = this.#site.expectErrors ? [] : this.#site.failures.takeAll();
    if (failures.length > 0) throw applicationsFailed(failures);
    if (stuck.length > 0) {
      throw new Error(
        `expected the application to return within ${this.#deadline} ms of the server's close; ${stuck.join("; ")}`,
      );
    }
    if (!done) throw new Error(`expected the server to close within ${this.#deadline + grace} ms`);
    await closed;
  }
}
