import {
  type App,
  ClientDisconnected,
  type Connection,
  DenyConnection,
  type Logger,
  type Middleware,
  middleware,
  provide,
  type ReceiveEvent,
  RouteNotFound,
  type Scope,
  type SendEvent,
} from "@sluice/core";

/** What the inner parts of the application tell the log about a connection. */
interface AccessNotes {
  username: string | undefined;
  route: string | undefined;
}

export interface Noted {
  readonly notes: AccessNotes;
}

/**
 * One line per request, and one per opened and per closed WebSocket: user, route, code and duration. A client that leaves
 * before it is answered is `"abandoned"`. No query string, no header, and of a path that no route has taken nothing but the
 * one of `places` it begins with. Those are paths: `"/ws/chat/"`.
 */
export function accessLog(logger: Logger, places: readonly string[]): Middleware<{}, Noted> {
  const known = places.map(withoutSlash);
  const withNotes = provide((): Noted => ({ notes: { username: undefined, route: undefined } }));
  const withLog = middleware<Noted>((inner) => async (scope, receive, send) => {
    const entry = new LogEntry(logger, scope, scope.notes, known);
    const watched = Object.assign(async () => entry.received(await receive()), {
      pipe: (sink: Parameters<typeof receive.pipe>[0]) => receive.pipe((event) => sink(entry.received(event))),
    });
    try {
      await inner(scope, watched, (event) => {
        const sent = send(event);
        entry.sent(event);
        return sent;
      });
    } catch (error) {
      entry.failed(error);
      throw error;
    } finally {
      entry.ended();
    }
  });
  return <P extends Connection, Inner extends object>(inner: App<P, Inner & Noted>) => withNotes(withLog(inner));
}

/** What becomes of one connection, as the events that pass by tell. */
class LogEntry {
  readonly #logger: Logger;
  readonly #scope: Scope<Connection>;
  readonly #notes: AccessNotes;
  readonly #places: readonly string[];
  readonly #began = performance.now();
  #opened = false;
  #started: number | undefined;
  /** An HTTP status, or a close code once a WebSocket is open. */
  #code: number | undefined;

  constructor(logger: Logger, scope: Scope<Connection>, notes: AccessNotes, places: readonly string[]) {
    this.#logger = logger;
    this.#scope = scope;
    this.#notes = notes;
    this.#places = places;
  }

  sent(event: SendEvent<Connection>): void {
    switch (event.type) {
      // Held back until the body begins, so that a failure in between still changes the status.
      case "http.response.start":
        this.#started = event.status;
        break;
      case "http.response.body":
        this.#code ??= this.#started;
        break;
      case "websocket.http.response.start":
        this.#code = event.status;
        break;
      case "websocket.accept":
        this.#opened = true;
        this.#write("open");
        break;
      case "websocket.close":
        this.#code = this.#opened ? (event.code ?? 1000) : 403;
    }
  }

  received<Event extends ReceiveEvent<Connection>>(event: Event): Event {
    if (event.type === "websocket.disconnect" && this.#opened) this.#code ??= event.code;
    return event;
  }

  failed(error: unknown): void {
    if (error instanceof ClientDisconnected) return;
    if (this.#opened) this.#code ??= 1011;
    else this.#code ??= error instanceof DenyConnection ? error.status : error instanceof RouteNotFound ? 404 : 500;
  }

  ended(): void {
    if (this.#opened) this.#write("close");
    else if (this.#code === undefined) this.#write("abandoned");
    else this.#write(this.#scope.type === "http" ? "request" : "refused");
  }

  #write(message: "open" | "close" | "request" | "refused" | "abandoned"): void {
    const { type, client } = this.#scope;
    this.#logger.info(
      {
        ...(type === "http" ? { method: this.#scope.method } : {}),
        route: this.#notes.route ?? placeOf(this.#scope, this.#places),
        user: this.#notes.username,
        client: client?.host,
        [message === "close" ? "code" : "status"]: this.#code,
        ms: Math.round((performance.now() - this.#began) * 10) / 10,
      },
      message,
    );
  }
}

/** Tells the log who it is, once that is known. */
export const noteUser: Middleware<Noted & { readonly user: { readonly username: string } }> = provide(
  ({ notes, user }: Noted & { readonly user: { readonly username: string } }) => {
    notes.username = user.username || undefined;
    return {};
  },
);

/** Tells the log which route it is: its pattern says what a path says, without what was filled in. */
export const noteRoute: Middleware<Noted & { readonly urlRoute: { readonly route: string } }> = provide(
  ({ notes, urlRoute }: Noted & { readonly urlRoute: { readonly route: string } }) => {
    notes.route = `/${urlRoute.route}`;
    return {};
  },
);

/**
 * The longest of the places that a path begins with. What follows may be a secret that went astray: credentials behind a
 * route that does not take them, or a query whose question mark was encoded.
 */
function placeOf({ path, rootPath }: Scope<Connection>, places: readonly string[]): string {
  const below = `${path}/`.startsWith(`${rootPath}/`) ? path.slice(rootPath.length) : path;
  const place = places
    .filter((each) => `${below}/`.startsWith(`${each}/`))
    .reduce((longest, each) => (each.length > longest.length ? each : longest), "");
  return withoutSlash(below) === place ? below : `${place}/[redacted]`;
}

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
