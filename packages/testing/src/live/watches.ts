import { type App, type ConnectionScope, header } from "@sluice/core";
import { ApplicationWatch } from "../application-watch.js";

/** The runs of a served application. */
export class Watches {
  /** Those that are to come, by the handshake's Sec-WebSocket-Key: no two clients have the same. */
  readonly #expected = new Map<string, ApplicationWatch>();
  readonly #running = new Map<ApplicationWatch, ConnectionScope & { readonly type: string }>();

  /** The application, every run of it observed. */
  wrap(app: App): App {
    return (scope, receive, send) => {
      if (scope.type !== "http" && scope.type !== "websocket") return app(scope, receive, send);
      const key = header(scope, "sec-websocket-key") ?? "";
      const watch = this.#expected.get(key) ?? new ApplicationWatch();
      this.#expected.delete(key);
      this.#running.set(watch, scope);
      void watch.done.then(() => this.#running.delete(watch));
      return watch.wrap(app)(scope, receive, send);
    };
  }

  /** The run that the handshake with this key will be. */
  expect(key: string): ApplicationWatch {
    const watch = new ApplicationWatch();
    this.#expected.set(key, watch);
    return watch;
  }

  /** What the application is doing on each of its connections; empty where none is open. */
  facts(): string[] {
    return this.#facts(() => true);
  }

  /** The same of those runs that no verb has told of. */
  untold(): string[] {
    return this.#facts((watch) => !watch.told);
  }

  /** To be called when a test has been told of a request for this path: nothing says which of them it was. */
  tellOfRequests(rawPath: string): void {
    for (const [watch, scope] of this.#running) watch.told ||= scope.type === "http" && scope.rawPath === rawPath;
  }

  #facts(which: (watch: ApplicationWatch) => boolean): string[] {
    return [...this.#running]
      .filter(([watch]) => which(watch))
      .map(([watch, { type, path }]) => `on ${type} ${path}, ${watch.facts()}`);
  }
}
