import { checkClose, type HeaderList } from "@sluice/core";
import type { ApplicationWatch } from "./application-watch.js";
import { applicationFailed, applicationsFailed, type Failure, type Failures, inWords } from "./failures.js";
import { Outbox } from "./outbox.js";
import type { RecordingLogger } from "./recording-logger.js";
import { within } from "./within.js";

/** How a handshake ended. */
export type Handshake =
  | { readonly connected: true; readonly subprotocol: string | undefined; readonly headers: HeaderList }
  | {
      readonly connected: false;
      readonly status: number;
      readonly headers: HeaderList;
      readonly body: Uint8Array | string;
    };

export interface CloseFrame {
  /** 1006 if the connection ended without a close frame. */
  readonly code: number;
  readonly reason: string;
}

/** What comes from the server, in its order. */
export type WebsocketOutput =
  | { readonly type: "handshake"; readonly handshake: Handshake }
  | { readonly type: "message"; readonly data: string | Uint8Array }
  | { readonly type: "close"; readonly frame: CloseFrame };

export interface ConversationOptions {
  readonly subprotocols?: readonly string[];
  readonly headers?: HeaderList;
  /** Milliseconds of real time that each verb waits. 1,000 if left out. */
  readonly timeout?: number;
  /**
   * The application is meant to fail: its failures come as a client sees them, 500 or 1011. If left out, the verb that
   * runs into one rejects with it, and so does the end of the test with one that none ran into.
   */
  readonly expectErrors?: boolean;
}

/** What a conversation knows of the other side. */
export interface OtherSide {
  readonly logger: RecordingLogger;
  readonly failures: Failures;
  /** True if nobody else talks to this application: then every failure is this client's. */
  readonly alone: boolean;
  /** The run of the application that this client talks to, where it is known. */
  watch(): ApplicationWatch | undefined;
}

/**
 * The verbs of a WebSocket client in a test, the same in front of an application in the process and of a live server.
 * Every error says what was expected and what came, with the application's own error as its cause.
 */
export abstract class WebsocketConversation implements AsyncDisposable {
  /** What the server logged, the application's failures among it. */
  readonly logger: RecordingLogger;
  protected readonly outbox: Outbox<WebsocketOutput> = new Outbox();
  readonly #other: OtherSide;
  readonly #timeout: number;
  readonly #expectErrors: boolean;
  #opened = false;

  protected constructor(other: OtherSide, options: ConversationOptions) {
    this.#other = other;
    this.logger = other.logger;
    this.#timeout = options.timeout ?? 1_000;
    this.#expectErrors = options.expectErrors ?? false;
  }

  /** Begins the handshake. */
  protected abstract open(): void;
  protected abstract write(data: string | Uint8Array): void;
  /** Ends the connection if it has not ended; 1006 is an end without a close frame. */
  protected abstract leave(code: number, reason: string): Promise<void>;

  /**
   * Opens the connection; resolves when it is accepted or refused, within `timeout` milliseconds of real time. Rejects
   * if the application fails.
   */
  async connect(timeout: number = this.#timeout): Promise<Handshake> {
    if (this.#opened) throw new Error("expected one connect() per client, got a second one; make another client");
    this.#opened = true;
    this.open();
    const expected = "the handshake to be accepted or refused";
    const output = await this.#take(expected, timeout);
    if (output.type !== "handshake") throw this.#unexpected(expected, output);
    if (!output.handshake.connected && output.handshake.status >= 500) this.#throwFailure(expected, true);
    return output.handshake;
  }

  /** Sends one message: a string as text, bytes as binary. */
  sendTo(data: string | Uint8Array): void {
    this.#checkOpened("the first message");
    this.write(data);
  }

  sendJsonTo(content: unknown): void {
    this.sendTo(JSON.stringify(content));
  }

  /** The next message. Rejects if the connection closes instead. */
  async receiveFrom(timeout: number = this.#timeout): Promise<string | Uint8Array> {
    const output = await this.#take("a message", timeout);
    if (output.type === "message") return output.data;
    throw this.#unexpected("a message", output);
  }

  async receiveJsonFrom(timeout: number = this.#timeout): Promise<unknown> {
    const data = await this.receiveFrom(timeout);
    if (typeof data !== "string") throw new Error(`expected a text message, got ${data.byteLength} bytes of binary`);
    try {
      return JSON.parse(data);
    } catch (cause) {
      throw new Error(`expected JSON, got ${excerpt(data)}`, { cause });
    }
  }

  /** The close frame. Rejects if a message comes first. */
  async receiveClose(timeout: number = this.#timeout): Promise<CloseFrame> {
    const output = await this.#take("a close frame", timeout);
    if (output.type === "close") return output.frame;
    throw this.#unexpected("a close frame", output);
  }

  /** True if nothing comes within `ms` milliseconds of real time. */
  async receiveNothing(ms = 50): Promise<boolean> {
    this.#checkOpened("waiting for nothing");
    return this.outbox.staysEmpty(ms);
  }

  /**
   * Leaves with a close frame, or with 1006 without one, and resolves when the application has returned. Rejects with a
   * `TypeError` for a code or a reason that no client may send.
   */
  async disconnect(code = 1000, reason = ""): Promise<void> {
    if (code !== 1006) checkClose(code, reason);
    if (!this.#opened) return;
    await this.leave(code, reason);
    await this.wait();
  }

  /** Resolves when the application has returned. Rejects if it failed, or does not return in time. */
  async wait(timeout: number = this.#timeout): Promise<void> {
    const watch = this.#other.watch();
    const expected = `the application to return within ${timeout} ms`;
    if (watch?.running && !(await within(timeout, watch.done))) {
      watch.told = true;
      throw new Error(`expected ${expected} of the end of the connection; ${this.#facts()}`);
    }
    this.#throwFailure(expected, false);
  }

  /** Leaves if the test has not: `await using client = ...` does it at the end of a block. */
  async [Symbol.asyncDispose](): Promise<void> {
    const watch = this.#other.watch();
    const quiet = watch?.told;
    await this.disconnect().catch((error: unknown) => {
      if (!quiet || !watch?.running) throw error;
    });
    const failures = this.#other.alone && !this.#expectErrors ? this.#other.failures.takeAll() : [];
    if (failures.length > 0) throw applicationsFailed(failures);
  }

  /** For what is sent before the handshake has been answered. */
  protected tooEarly(): Error {
    return new Error(
      `expected an open connection to send on, but it is not open yet: await connect() first; ${this.#facts()}`,
    );
  }

  /** For what is sent on a connection that has ended. */
  protected tooLate(): Error {
    return new Error(`expected an open connection to send on, but it has ended; ${this.#facts()}`);
  }

  #checkOpened(before: string): void {
    if (!this.#opened) throw new Error(`expected connect() to have been called before ${before}`);
  }

  async #take(expected: string, timeout: number): Promise<WebsocketOutput> {
    this.#checkOpened(`waiting for ${expected}`);
    try {
      return await this.outbox.take({ expected, timeout, facts: () => this.#facts() });
    } catch (error) {
      const watch = this.#other.watch();
      if (watch !== undefined) watch.told = true;
      throw error;
    }
  }

  #facts(): string {
    const watch = this.#other.watch();
    return (watch?.facts() ?? "the application has not been called") + this.logger.lastTrouble();
  }

  #throwFailure(expected: string, seen: boolean): void {
    if (this.#expectErrors) return;
    const failure = this.#failure(seen);
    if (failure !== undefined) throw applicationFailed(expected, failure);
  }

  /** What the application failed with on this connection. With `seen`, the client has seen that it failed with something. */
  #failure(seen: boolean): Failure | undefined {
    const own = this.#other.watch()?.thrown;
    return this.#other.failures.take(own, this.#other.alone || (seen && own === undefined));
  }

  #unexpected(expected: string, output: WebsocketOutput): Error {
    const failure = output.type === "close" ? this.#failure(output.frame.code === 1011) : undefined;
    const came = inBrief(output);
    return failure === undefined
      ? new Error(`expected ${expected}, got ${came}`)
      : new Error(`expected ${expected}, got ${came}: the application failed: ${inWords(failure.error)}`, {
          cause: failure.error,
        });
  }
}

function inBrief(output: WebsocketOutput): string {
  switch (output.type) {
    case "handshake":
      return "the answer to the handshake";
    case "message":
      return typeof output.data === "string"
        ? `the message ${excerpt(output.data)}`
        : `a message of ${output.data.byteLength} bytes`;
    case "close":
      return `close ${output.frame.code} "${output.frame.reason}"`;
  }
}

const excerptLength = 200;

function excerpt(text: string): string {
  return JSON.stringify(text.length > excerptLength ? `${text.slice(0, excerptLength)}...` : text);
}
