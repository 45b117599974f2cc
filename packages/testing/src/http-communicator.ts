import {
  type App,
  type Clock,
  type HeaderList,
  type HttpTransport,
  type Limits,
  ProtocolServer,
  systemClock,
} from "@sluice/core";
import { only } from "./only.js";
import { Outbox } from "./outbox.js";
import { RecordingLogger } from "./recording-logger.js";
import { type RequestOptions, requestHead } from "./request.js";

export interface HttpCommunicatorOptions extends RequestOptions {
  readonly body?: Uint8Array | string;
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
  /** Milliseconds of real time to wait for the response. */
  readonly timeout?: number;
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
export class HttpCommunicator {
  /** What the server logged, the application's failures among it. */
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #app: App<"http">;
  readonly #method: string;
  readonly #target: string;
  readonly #options: HttpCommunicatorOptions;

  constructor(app: App<"http">, method: string, target: string, options: HttpCommunicatorOptions = {}) {
    this.#app = app;
    this.#method = method;
    this.#target = target;
    this.#options = options;
  }

  /** Sends the request; resolves with the whole response. Rejects if the connection is cut. */
  async getResponse(): Promise<CommunicatedResponse> {
    const { clock = systemClock, limits = {}, body = "", timeout = 1_000 } = this.#options;
    const server = new ProtocolServer(only("http", this.#app), { logger: this.logger, clock, limits });
    const done = new Outbox<CommunicatedResponse>();
    const session = server.openHttp(this.#transport(done), requestHead(this.#method, this.#target, this.#options));
    session?.data(bytes(body), true);
    return done.take("a response", timeout);
  }

  #transport(done: Outbox<CommunicatedResponse>): HttpTransport {
    const chunks: Uint8Array[] = [];
    let head: Pick<CommunicatedResponse, "status" | "headers"> = { status: 0, headers: [] };
    const finish = () => {
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
      abort: () =>
        done.end(
          () => new Error("expected a whole response, got a cut connection", { cause: this.logger.errors.at(-1) }),
        ),
      pause: () => {},
      resume: () => {},
    };
  }
}

function bytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data;
}
