import { describe, expect, it } from "vitest";
import type { App, Receive, Scope } from "./app.js";
import { type Middleware, middleware, provide, stack } from "./middleware.js";

const receive: Receive<"websocket"> = Object.assign(() => Promise.reject(new Error("no events")), {
  pipe: () => Promise.resolve(),
});

/** Only the fields that count here. */
const scope: Scope<"websocket"> = Object.freeze({ type: "websocket", path: "/" }) as Scope<"websocket">;
const send = (): void => {};

/** An application that says what it was called with. */
function witness(): { app: App<"websocket", object>; seen: unknown[][] } {
  const seen: unknown[][] = [];
  return {
    seen,
    app: (...given) => {
      seen.push(given);
    },
  };
}

describe("provide", () => {
  it("puts what it resolves on a copy of the scope, at once where that is at hand", () => {
    const { app, seen } = witness();
    expect(provide(() => ({ user: "ann", path: "/other" }))(app)(scope, receive, send)).toBeUndefined();
    expect(seen).toEqual([[{ type: "websocket", path: "/other", user: "ann" }, receive, send]]);
    expect(scope.path).toBe("/");
  });

  it("waits for what is not at hand", async () => {
    const { app, seen } = witness();
    let arrive = (_added: { user: string }): void => {};
    const users = provide(
      () =>
        new Promise<{ user: string }>((resolve) => {
          arrive = resolve;
        }),
    );
    const done = users(app)(scope, receive, send);
    await Promise.resolve();
    expect(seen).toEqual([]);
    arrive({ user: "ann" });
    await done;
    expect(seen).toEqual([[{ type: "websocket", path: "/", user: "ann" }, receive, send]]);
  });

  it("resolves from the scope, once per connection", async () => {
    const asked: unknown[] = [];
    const { app, seen } = witness();
    const inner = provide((given: Scope<"http" | "websocket"> & { readonly id: number }) => {
      asked.push(given);
      return { next: given.id + 1 };
    });
    await provide(() => ({ id: 1 }))(inner(app))(scope, receive, send);
    expect(asked).toEqual([{ ...scope, id: 1 }]);
    expect(seen[0]?.[0]).toEqual({ ...scope, id: 1, next: 2 });
  });

  it("lets through what the resolver and the application throw", async () => {
    const failure = new Error("no database");
    const { app, seen } = witness();
    const fails = (): { user: string } => {
      throw failure;
    };
    expect(() => provide(fails)(app)(scope, receive, send)).toThrow(failure);
    await expect(provide(async () => fails())(app)(scope, receive, send)).rejects.toBe(failure);
    expect(seen).toEqual([]);
    expect(() => provide(() => ({ user: "ann" }))(() => fails() && undefined)(scope, receive, send)).toThrow(failure);
  });
});

describe("middleware", () => {
  it("is the function it is made of", async () => {
    const sent: string[] = [];
    const noted = middleware(
      (inner) => (given, receiveOutside, sendOutside) =>
        inner(given, receiveOutside, (event) => {
          sent.push(event.type);
          return sendOutside(event);
        }),
    );
    const app: App<"websocket"> = (given, receiveInside, sendInside) => {
      expect(given).toBe(scope);
      expect(receiveInside).toBe(receive);
      return sendInside({ type: "websocket.accept" });
    };
    await noted(app)(scope, receive, (event) => {
      sent.push(`outside ${event.type}`);
    });
    expect(sent).toEqual(["websocket.accept", "outside websocket.accept"]);
  });

  it("may keep the application from running", async () => {
    const { app, seen } = witness();
    await middleware(() => () => {})(app)(scope, receive, send);
    expect(seen).toEqual([]);
  });
});

describe("stack", () => {
  const noting =
    (order: string[], name: string): Middleware =>
    (inner) =>
    (given, ...rest) => {
      order.push(name);
      return inner(given, ...rest);
    };

  it("runs from the outside in", async () => {
    const order: string[] = [];
    const { app, seen } = witness();
    await stack<"websocket">()
      .use(noting(order, "first"))
      .use(provide(() => ({ n: 1 })))
      .use(noting(order, "second"))
      .use(provide((given: Scope<"http" | "websocket"> & { readonly n: number }) => ({ m: given.n + 1 })))
      .app(app)(scope, receive, send);
    expect(order).toEqual(["first", "second"]);
    expect(seen).toEqual([[{ ...scope, n: 1, m: 2 }, receive, send]]);
  });

  it("is the application itself with nothing around it", () => {
    const { app } = witness();
    expect(stack<"websocket">().app(app)).toBe(app);
  });

  it("may branch: each use makes a new stack", async () => {
    const order: string[] = [];
    const { app } = witness();
    const base = stack<"websocket">().use(noting(order, "base"));
    const left = base.use(noting(order, "left")).app(app);
    const right = base.use(noting(order, "right")).app(app);
    await left(scope, receive, send);
    await right(scope, receive, send);
    expect(order).toEqual(["base", "left", "base", "right"]);
  });
});
