import { connect, type Socket } from "node:net";
import postgres, { type Options, type ParsedOptions, type Sql } from "postgres";
import type { Server } from "./server-url.js";

export type Rows = readonly Readonly<Record<string, unknown>>[];

export interface ConnectionOptions {
  /** Milliseconds without an answer, after which the connection is given up. */
  readonly timeout: number;
  notified?(channel: string, text: string): void;
  /** Called once, unless the connection was closed from this side. */
  lost(cause: unknown): void;
}

interface Statement {
  /** When it was handed to the driver, in milliseconds since 1970. */
  readonly since: number;
  reject(cause: unknown): void;
}

/** What the driver knows and its types do not. */
interface DriverOptions extends Options<{}> {
  socket(options: ParsedOptions): Promise<Socket>;
  onnotify(channel: string, text: string): void;
}

/**
 * One connection, which connects with its first statement and is never restored. Statements go out at once and are answered
 * in their order. It asks for a sign of life when it has heard nothing for a while; without an answer in time it is cut,
 * as a frozen server or a lost network would not tell.
 */
export class Connection {
  readonly #timeout: number;
  readonly #lost: (cause: unknown) => void;
  readonly #sql: Sql;
  readonly #statements = new Set<Statement>();
  #socket: Socket | undefined;
  #socketMade = false;
  #cause: unknown;
  #dead = false;
  /** When something was last answered, or last asked after there was nothing to answer; in milliseconds of no epoch. */
  #progress = performance.now();
  #lastSeen = Date.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, { timeout, lost, notified = () => {} }: ConnectionOptions) {
    this.#timeout = timeout;
    this.#lost = lost;
    const options: DriverOptions = {
      ...server.options,
      max: 1,
      // Longer than our own limit, which comes first.
      connect_timeout: 60 + timeout / 1_000,
      max_lifetime: null,
      idle_timeout: 0,
      fetch_types: false,
      onnotice: () => {},
      onnotify: notified,
      // In a microtask, as the reasons that statements are rejected with come in one.
      onclose: () => queueMicrotask(() => this.#lose(this.#cause ?? new Error("the server has closed the connection"))),
      socket: (parsed) => this.#connect(parsed),
    };
    this.#sql = postgres(server.url, options);
  }

  /** The last moment at which the server surely could be reached, in milliseconds since 1970. */
  get lastSeen(): number {
    return this.#lastSeen;
  }

  /**
   * Without parameters these may be several statements, which are one transaction. What comes back is then the rows of the
   * last.
   */
  run(text: string, parameters?: readonly string[]): Promise<Rows> {
    if (this.#dead) return Promise.reject(this.#cause);
    if (this.#statements.size === 0) this.#progress = performance.now();
    this.#watch();
    return new Promise((resolve, reject) => {
      const statement = { since: Date.now(), reject };
      this.#statements.add(statement);
      const query =
        parameters === undefined
          ? this.#sql.unsafe<Rows[]>(text)
          : this.#sql.unsafe<Rows[]>(text, [...parameters], { prepare: true });
      query.then(
        (rows) => {
          this.#answered(statement);
          resolve(lastOf(rows as unknown as Rows | readonly Rows[]));
        },
        (error: unknown) => {
          if (error instanceof postgres.PostgresError) this.#answered(statement);
          else this.#cause ??= error;
          this.#statements.delete(statement);
          reject(error);
        },
      );
    });
  }

  /** Cuts it. What is under way rejects with `cause`. */
  destroy(cause: unknown): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#cause = cause;
    clearTimeout(this.#timer);
    for (const { reject } of this.#statements) reject(cause);
    this.#statements.clear();
    const socket = this.#socket;
    // In this order: over TLS the driver's own socket stands on this one, and it would write to it when it is gone.
    void this.#sql.end({ timeout: 0 }).finally(() => socket?.destroy());
  }

  /** Says goodbye to the server, and resolves when it is gone. */
  async close(cause: unknown): Promise<void> {
    if (this.#dead) return;
    const socket = this.#socket;
    const goodbye = this.#sql.end({ timeout: this.#timeout / 1_000 });
    this.#dead = true;
    this.#cause = cause;
    clearTimeout(this.#timer);
    for (const { reject } of this.#statements) reject(cause);
    this.#statements.clear();
    await goodbye.catch(() => {});
    socket?.destroy();
  }

  #lose(cause: unknown): void {
    if (this.#dead) return;
    this.destroy(cause);
    this.#lost(cause);
  }

  #answered(statement: Statement): void {
    this.#progress = performance.now();
    this.#lastSeen = Math.max(this.#lastSeen, statement.since);
    this.#statements.delete(statement);
  }

  /** The driver asks for a socket whenever it wants to connect: a second one would be a connection without our LISTENs. */
  async #connect({ path, host, port }: ParsedOptions): Promise<Socket> {
    if (this.#socketMade || this.#dead) throw this.#cause ?? new Error("the server has closed the connection");
    this.#socketMade = true;
    const [hostname = "localhost"] = host;
    const socket = path ? connect(path) : connect({ port: port[0] ?? 5432, host: hostname, noDelay: true });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.on("error", (error) => {
        this.#cause ??= error;
        reject(error);
      });
      socket.once("close", () => reject(this.#cause));
    });
    // Where the driver looks for the name that a certificate has to be for.
    return Object.assign(socket, { host: hostname, port: port[0] });
  }

  /** One timer, which looks when it is due what is to be done by then. */
  #watch(): void {
    this.#timer ??= setTimeout(() => {
      // Answers may lie in the socket's buffer, unread while this process was busy with something else.
      setImmediate(() => {
        this.#timer = undefined;
        if (this.#dead) return;
        const quiet = performance.now() - this.#progress;
        if (this.#statements.size === 0) {
          if (quiet >= this.#timeout / 2) this.run("select 1").catch(() => {});
        } else if (quiet >= this.#timeout) {
          this.#lose(new Error(`the server did not answer within ${this.#timeout} ms`));
          return;
        }
        this.#watch();
      });
    }, this.#untilDue()).unref();
  }

  #untilDue(): number {
    const limit = this.#statements.size === 0 ? this.#timeout / 2 : this.#timeout;
    return Math.max(1, Math.ceil(this.#progress + limit - performance.now()));
  }
}

function lastOf(rows: Rows | readonly Rows[]): Rows {
  const last = rows.at(-1);
  return Array.isArray(last) ? last : (rows as Rows);
}
