import {
  type App,
  type Clock,
  type HeaderList,
  type HttpSession,
  type HttpTransport,
  type Limits,
  ProtocolServer,
  systemClock,
} from "@sluice/core";
import { ApplicationWatch } from "./application-watch.js";
import { applicationFailed, applicationsFailed, Failures, inWords } from "./failures.js";
import { inject, type WithScope } from "./injected-scope.js";
import { only } from "./only.js";
import { Outbox } from "./outbox.js";
import { RecordingLogger } from "./recording-logger.js";
import { type RequestOptions, requestHead } from "./request.js";
import { within } from "./within.js";

export interface HttpCommunicatorOptions extends RequestOptions {
  readonly body?: Uint8Array | string;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Milliseconds of real time to wait for the response, and for the application to return. 1,000 if left out. */
  readonly timeout?: number;
  /** The application is meant to fail: its failures come as a client sees them. If left out, they reject. */
  readonly expectErrors?: boolean;
}

export interface CommunicatedResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  text(): string;
  json(): unknown;
}

/**
 * One HTTP request to an application in the same process.
 *
 * @example
 * const response = await new HttpCommunicator(application, "GET", "/api/me").getResponse();
 * expect(response.status).toBe(401);
 */
export class HttpCommunicator<Needs extends object = {}> implements AsyncDisposable {
  /** What the server logged, the application's failures among it. */
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #app: App<"http">;
  readonly #method: string;
  readonly #target: string;
  readonly #options: HttpCommunicatorOptions;
  readonly #failures = new Failures(this.logger);
  readonly #watch = new ApplicationWatch();
  #session: HttpSession | undefined;
  #asked = false;
  #answered = false;

  constructor(
    app: App<"http", Needs>,
    method: string,
    target: string,
    ...rest: WithScope<HttpCommunicatorOptions, "http", Needs>
  ) {
    const { scope, ...options } = rest[0] ?? {};
    this.#app = this.#watch.wrap(inject(app, scope));
    this.#method = method;
    this.#target = target;
    this.#options = options;
  }

  /** Sends the request; resolves with the whole response. Rejects if the application fails or the connection is cut. */
  async getResponse(timeout: number = this.#timeout): Promise<CommunicatedResponse> {
    if (this.#asked) throw new Error("expected one getResponse() per communicator, got a second one");
    this.#asked = true;
    const { clock = systemClock, limits = {}, body = "" } = this.#options;
    const server = new ProtocolServer(only("http", this.#app), { logger: this.logger, clock, limits });
    const done = new Outbox<CommunicatedResponse>();
    this.#session = server.openHttp(this.#transport(done), requestHead(this.#method, this.#target, this.#options));
    if (this.#answered) this.#session?.sent();
    this.#session?.data(bytes(body), true);
    const facts = (): string => this.#watch.facts() + this.logger.lastTrouble();
    const response = await done.take({ expected: "a response", timeout, facts }).catch((error: unknown) => {
      this.#watch.told = true;
      throw error;
    });
    if (response.status >= 500) this.#throwFailure("a response");
    return response;
  }

  /** Goes away if the response is not complete, and resolves when the application has returned. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.aborted();
    const returned = !this.#watch.running || (await within(this.#timeout, this.#watch.done));
    if (!returned && !this.#watch.told) {
      throw new Error(`expected the application to return within ${this.#timeout} ms; ${this.#watch.facts()}`);
    }
    const failures = this.#options.expectErrors ? [] : this.#failures.takeAll();
    if (failures.length > 0) throw applicationsFailed(failures);
  }

  get #timeout(): number {
    return this.#options.timeout ?? 1_000;
  }

  #throwFailure(expected: string): void {
    if (this.#options.expectErrors) return;
    const failure = this.#failures.take(this.#watch.thrown, true);
    if (failure !== undefined) throw applicationFailed(expected, failure);
  }

  #transport(done: Outbox<CommunicatedResponse>): HttpTransport {
    const chunks: Uint8Array[] = [];
    let head: Pick<CommunicatedResponse, "status" | "headers"> = { status: 0, headers: [] };
    const finish = (): void => {
      this.#answered = true;
      this.#session?.sent();
      const body = Buffer.concat(this.#method === "HEAD" ? [] : chunks);
      done.put({ ...head, body, text: () => body.toString(), json: () => JSON.parse(body.toString()) });
    };
    return {
      respond: (status, headers, body) => {
        head = { status, headers };
        chunks.push(bytes(body));
        finish();
      },
      start: (status, headers) => {
        head = { status, headers };
      },
      write: (chunk) => {
        chunks.push(bytes(chunk));
        return "ok";
      },
      end: finish,
      abort: () => {
        const failure = this.#failures.take(this.#watch.thrown, true);
        if (failure === undefined) done.end("the connection was cut in the middle of it");
        else done.end(`the application failed in the middle of it: ${inWords(failure.error)}`, failure.error);
      },
      pause: () => {},
      resume: () => {},
    };
  }
}

/** A copy, as the wire would make one: whoever goes on to write into theirs changes nothing here. */
function bytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : new Uint8Array(data);
}
