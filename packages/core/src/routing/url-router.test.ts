import { webSocketScope } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { App, Connection, Receive } from "../app.js";
import { ConfigurationError, RouteNotFound } from "../errors.js";
import { type Middleware, middleware, provide, stack } from "../middleware.js";
import type { WebSocketScope } from "../scope.js";
import { OriginValidator } from "../security/origin-validator.js";
import { path, paths } from "./path.js";
import { rePath } from "./re-path.js";
import { reverse } from "./reverse.js";
import type { Routed } from "./url-route.js";
import { URLRouter } from "./url-router.js";

const noEvents: Receive<"websocket"> = Object.assign(() => Promise.reject(new Error("no events")), {
  pipe: () => Promise.resolve(),
});

function handshake(at: string, more: Partial<WebSocketScope & Routed> = {}): WebSocketScope & Partial<Routed> {
  return { ...webSocketScope({ path: at, rawPath: at }), ...more };
}

/** An application that leaves its name and what it was given in the state. */
function place(name: string): App<Connection, Routed<object>> {
  return ({ state, urlRoute, pathRemaining }) => {
    state.visit = { name, urlRoute, pathRemaining };
  };
}

/** What `place` left, or undefined if no route was found. */
async function visit(
  router: App<"websocket">,
  at: string,
  more?: Partial<WebSocketScope & Routed>,
): Promise<({ name: string } & Routed) | undefined> {
  const scope = handshake(at, more);
  try {
    await router(scope, noEvents, () => {});
  } catch (error) {
    if (error instanceof RouteNotFound) return undefined;
    throw error;
  }
  return scope.state.visit as { name: string } & Routed;
}

const nameAt = async (router: App<"websocket">, at: string, more?: Partial<WebSocketScope & Routed>) =>
  (await visit(router, at, more))?.name;

describe("URLRouter", () => {
  it("takes the first route that fits", async () => {
    const router = URLRouter([path("a/", place("literal")), path("<x>/", place("any")), path("b/", place("never"))]);
    expect(await nameAt(router, "/a/")).toBe("literal");
    expect(await nameAt(router, "/b/")).toBe("any");
    expect(await nameAt(router, "/b")).toBeUndefined();
    expect(await nameAt(URLRouter([]), "/")).toBeUndefined();
  });

  it("says what matched", async () => {
    const router = URLRouter([path("ws/<room>/<int:page>/", place("chat"), { page: 0, theme: "dark" })]);
    expect(await visit(router, "/ws/lobby/2/")).toEqual({
      name: "chat",
      pathRemaining: "",
      urlRoute: {
        route: "ws/<room>/<int:page>/",
        args: [],
        kwargs: { room: "lobby", page: 2, theme: "dark" },
      },
    });
  });

  it("leaves the scope it was given alone", async () => {
    const scope = Object.freeze(handshake("/a/"));
    let inner: object | undefined;
    await URLRouter([
      path("a/", (given) => {
        inner = given;
      }),
    ])(scope, noEvents, () => {});
    expect(inner).toEqual({
      ...scope,
      pathRemaining: "",
      urlRoute: { route: "a/", args: [], kwargs: {} },
    });
  });

  it("hands on receive and send as they are, and what the application returns", async () => {
    const send = (): void => {};
    const done = Promise.resolve();
    const app: App<"websocket"> = (_scope, receive, sendInside) => {
      expect(receive).toBe(noEvents);
      expect(sendInside).toBe(send);
      return done;
    };
    expect(URLRouter([path("", app)])(handshake("/"), noEvents, send)).toBe(done);
  });

  it.each([
    ["/a/", "", "a"],
    ["a/", "", "a"],
    ["//a/", "", undefined],
    ["/", "", "root"],
    ["", "", "root"],
    ["/app/a/", "/app", "a"],
    ["/app/", "/app", "root"],
    ["/app", "/app", "root"],
    ["/apple/", "/app", "apple"],
    ["/a/", "/app", "a"],
    ["/app//a/", "/app", undefined],
  ])("at %j under the root path %j goes to %s", async (at, rootPath, name) => {
    const router = URLRouter([path("a/", place("a")), path("", place("root")), path("apple/", place("apple"))]);
    expect(await nameAt(router, at, { rootPath })).toBe(name);
  });

  it("routes what an outer router has left rather than the path", async () => {
    const router = URLRouter([path("a/", place("a")), path("", place("root"))]);
    expect(await nameAt(router, "/x/a/", { pathRemaining: "a/" })).toBe("a");
    expect(await nameAt(router, "/a/", { pathRemaining: "" })).toBe("root");
    expect(await nameAt(router, "/app/a/", { pathRemaining: "/a/", rootPath: "/app" })).toBe("a");
  });

  it("does not tell the path in the error, as it may hold a secret", () => {
    expect(() => URLRouter([])(handshake("/login/bob/hunter2/"), noEvents, () => {})).toThrow(
      new RouteNotFound("expected a path that a route fits, got one that none does"),
    );
  });

  it("takes an escaped slash for a slash, as it routes the decoded path", async () => {
    const router = URLRouter([path("one/<name>/", place("one")), path("all/<path:name>/", place("all"))]);
    expect(await nameAt(router, decodeURIComponent("/one/a%2Fb/"))).toBeUndefined();
    expect((await visit(router, decodeURIComponent("/all/a%2Fb/")))?.urlRoute.kwargs).toEqual({ name: "a/b" });
  });

  it("finds a place or none for any path, and throws nothing but RouteNotFound", async () => {
    const router = URLRouter([
      path("<int:a>/<b>/", place("1")),
      path("x/", URLRouter([path("<path:c>", place("2")), rePath(/(?<d>b+)(c)?$/u, place("3"))])),
      path("", URLRouter([path("<slug:e>/x<uuid:f>x", place("4")), rePath(/^y|z$/s, place("5"))])),
    ]);
    const anyPath = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.oneof(fc.constantFrom("", "..", "1", "x", "y", "bc"), fc.string())).map((all) => `/${all.join("/")}`),
    );
    await fc.assert(
      fc.asyncProperty(anyPath, fc.constantFrom("", "/x", "/1"), async (at, rootPath) => {
        expect(["1", "2", "3", "4", "5", undefined]).toContain(await nameAt(router, at, { rootPath }));
      }),
    );
  });
});

describe("a router in a router", () => {
  it("gets the rest, and what both found is merged, the inner one's first", async () => {
    const inner = URLRouter([path("<x>/<int:y>/", place("inner"), { z: "inner", tenant: "inner" })]);
    const router = URLRouter([path("<tenant>/<x>/", inner, { z: "outer", w: "outer" })]);
    expect(await visit(router, "/acme/1/2/3/")).toEqual({
      name: "inner",
      pathRemaining: "",
      urlRoute: {
        route: "<tenant>/<x>/<x>/<int:y>/",
        args: [],
        kwargs: { tenant: "inner", x: "2", y: 3, z: "inner", w: "outer" },
      },
    });
  });

  it("lets the outer one go on if it has no route", async () => {
    const router = URLRouter([
      path("api/", URLRouter([path("a/", place("first"))])),
      path("api/", URLRouter([path("deep/", URLRouter([path("b/", place("second"))])), path("c/", place("third"))])),
      path("<path:all>", place("rest")),
    ]);
    expect(await nameAt(router, "/api/a/")).toBe("first");
    expect(await nameAt(router, "/api/deep/b/")).toBe("second");
    expect(await nameAt(router, "/api/c/")).toBe("third");
    expect((await visit(router, "/api/deep/c/"))?.urlRoute).toEqual({
      route: "<path:all>",
      args: [],
      kwargs: { all: "api/deep/c/" },
    });
    expect(await nameAt(router, "/api/")).toBe("rest");
  });

  it("begins where a segment begins", async () => {
    const router = URLRouter([path("api/", URLRouter([path("x/", place("x")), path("", place("root"))]))]);
    expect(await nameAt(router, "/api/x/")).toBe("x");
    expect(await nameAt(router, "/api/")).toBe("root");
    expect(await nameAt(router, "/api")).toBeUndefined();
    expect(await nameAt(router, "/api//x/")).toBeUndefined();
    expect(await nameAt(router, "/apix/")).toBeUndefined();
  });

  it("has to stand behind a slash", () => {
    expect(() => path("api", URLRouter([]))).toThrow(ConfigurationError);
  });

  it("may stand at the very beginning", async () => {
    const router = URLRouter([path("", URLRouter([path("a/", place("a"))])), path("", place("root"))]);
    expect(await nameAt(router, "/a/")).toBe("a");
    expect(await nameAt(router, "/")).toBe("root");
    expect(await nameAt(router, "//a/")).toBeUndefined();
  });

  it("does not make an application beside it match beginnings", async () => {
    const router = URLRouter([path("a/", place("leaf")), path("b/", URLRouter([path("c/", place("c"))]))]);
    expect(await nameAt(router, "/a/c/")).toBeUndefined();
    expect(await nameAt(router, "/b/c/")).toBe("c");
  });
});

describe("a router in middleware", () => {
  const runs: string[] = [];
  const sync = provide(() => {
    runs.push("sync");
    return { sync: true };
  });
  const slow = provide(async () => {
    await Promise.resolve();
    runs.push("slow");
    return { slow: true };
  });
  const custom = middleware((inner) => async (scope, receive, send) => {
    await Promise.resolve();
    runs.push("custom");
    await inner(scope, receive, send);
  });
  const bare: Middleware = (inner) => (scope, receive, send) => inner(scope, receive, send);
  const inner = URLRouter([path("x/", place("x"))]);
  const wrappings: readonly [string, App<"websocket">][] = [
    ["provide", sync(inner)],
    ["an asynchronous provide", slow(inner)],
    ["middleware", custom(inner)],
    ["stack", stack<"websocket">().use(slow).use(custom).app(inner)],
    ["a stack of bare functions", stack<"websocket">().use(bare).app(inner)],
    ["OriginValidator", OriginValidator(inner, [], { allowMissingOrigin: true })],
    ["all of them", slow(OriginValidator(["*"])(custom(sync(URLRouter([path("", inner)])))))],
  ];

  it.each(wrappings)("is still seen through %s", async (_name, app) => {
    const router = URLRouter([path("api/", app), path("<path:all>", place("rest"))]);
    expect(await nameAt(router, "/api/x/")).toBe("x");
    runs.length = 0;
    expect(await nameAt(router, "/api/y/")).toBe("rest");
    expect(runs).toEqual([]);
  });

  it("runs that middleware for its own paths", async () => {
    runs.length = 0;
    await visit(URLRouter([path("api/", sync(slow(custom(inner))))]), "/api/x/");
    expect(runs).toEqual(["sync", "slow", "custom"]);
  });

  it("does not change an application that middleware puts in its place", async () => {
    const closed: App<Connection> = ({ state }) => {
      state.visit = { name: "closed" };
    };
    const maintenance = middleware(() => closed);
    const router = URLRouter([path("api/", maintenance(inner)), path("shop/", closed)]);
    expect(await nameAt(router, "/api/x/")).toBe("closed");
    expect(await nameAt(router, "/shop/")).toBe("closed");
    expect(await nameAt(router, "/shop/x/")).toBeUndefined();
  });

  it("is an ordinary application in a function of no known kind: the pattern fits whole paths only", async () => {
    const hidden = bare(inner);
    const router = URLRouter([path("api/", hidden), rePath(/^re\//, hidden)]);
    expect(await nameAt(router, "/api/x/")).toBeUndefined();
    expect(await nameAt(router, "/re/x/")).toBe("x");
  });

  it("leaves a RouteNotFound of the application alone", async () => {
    const missing = new RouteNotFound("no such room");
    const app: App<"websocket"> = async () => {
      await Promise.resolve();
      throw missing;
    };
    let reached = false;
    const router = URLRouter([
      path("api/", slow(URLRouter([path("x/", app)]))),
      rePath(/./, () => {
        reached = true;
      }),
    ]);
    await expect(router(handshake("/api/x/"), noEvents, () => {})).rejects.toBe(missing);
    expect(reached).toBe(false);
  });
});

describe("rePath", () => {
  it("searches, and takes named groups for kwargs", async () => {
    const router = URLRouter([rePath(/(?<room>\w+)\/(?<page>\d+)?$/, place("chat"), { page: "1", theme: "dark" })]);
    expect(await visit(router, "/ws/any/lobby/2")).toEqual({
      name: "chat",
      pathRemaining: "",
      urlRoute: {
        route: "(?<room>\\w+)\\/(?<page>\\d+)?$",
        args: [],
        kwargs: { room: "lobby", page: "2", theme: "dark" },
      },
    });
    expect((await visit(router, "/lobby/"))?.urlRoute.kwargs).toEqual({ room: "lobby", page: "1", theme: "dark" });
    expect(await nameAt(router, "/lobby/x")).toBeUndefined();
  });

  it("takes groups for args if none has a name", async () => {
    const router = URLRouter([
      rePath(/^(a)(b)?\//, URLRouter([path("<x>/", URLRouter([rePath(/^(c+)$/i, place("deep"))]))])),
    ]);
    expect((await visit(router, "/a/1/CC"))?.urlRoute).toEqual({
      route: "^(a)(b)?\\/<x>/^(c+)$",
      args: ["a", undefined, "CC"],
      kwargs: { x: "1" },
    });
  });

  it("sees the path without its leading slash and is anchored where it says so", async () => {
    const router = URLRouter([
      rePath(/^a/, place("beginning")),
      rePath(/b$/, place("end")),
      rePath(/^\/c/, place("slash")),
    ]);
    expect(await visit(router, "/a/more")).toMatchObject({ name: "beginning", pathRemaining: "/more" });
    expect(await nameAt(router, "/more/b")).toBe("end");
    expect(await nameAt(router, "/more/bc")).toBeUndefined();
    expect(await nameAt(router, "/c")).toBeUndefined();
  });

  it("lets an inner router's slash go, once", async () => {
    const router = URLRouter([rePath(/^api/, URLRouter([path("x/", place("x"))]))]);
    expect(await nameAt(router, "/api/x/")).toBe("x");
    expect(await nameAt(router, "/api//x/")).toBeUndefined();
  });

  it.each([/a/g, /a/y])("refuses %s while building", (expression) => {
    expect(() => rePath(expression, place("never"))).toThrow(
      new ConfigurationError(
        `bad route expression ${expression}: its flags g and y make it depend on what it matched before, leave them out`,
      ),
    );
  });
});

describe("paths", () => {
  const year = { pattern: "[0-9]{4}", parse: Number, format: String };

  it("knows converters of its own and the others", async () => {
    const own = paths({
      year,
      int: { pattern: "[0-9a-f]+", parse: (text: string) => Number.parseInt(text, 16), format: String },
    });
    const router = URLRouter([own("<year:from>/<int:page>/<name>/", place("archive"))]);
    expect((await visit(router, "/1999/ff/x/"))?.urlRoute.kwargs).toEqual({ from: 1999, page: 255, name: "x" });
    expect(await nameAt(router, "/19999/ff/x/")).toBeUndefined();
  });

  it("does not match what a converter makes nothing of", async () => {
    const even = {
      pattern: "[0-9]+",
      parse: (text: string) => (Number(text) % 2 ? undefined : Number(text)),
      format: String,
    };
    const router = URLRouter([paths({ even })("<even:n>", place("even")), path("<int:n>", place("odd"))]);
    expect(await nameAt(router, "/4")).toBe("even");
    expect(await nameAt(router, "/5")).toBe("odd");
  });

  it("takes a pattern with alternatives and groups as one", async () => {
    const kind = { pattern: "a|(b)c", parse: (text: string) => text, format: (value: string) => value };
    const router = URLRouter([paths({ kind })("x<kind:k>y", place("kind"))]);
    expect((await visit(router, "/xbcy"))?.urlRoute.kwargs).toEqual({ k: "bc" });
    expect(await nameAt(router, "/xa")).toBeUndefined();
  });

  it.each([
    ["1x", "a", "expected a name of letters, digits and underscores, no digit first"],
    ["a-b", "a", "expected a name"],
    ["x", "(", "expected a regular expression that is valid with the flag u"],
    ["x", "\\-", "expected a regular expression that is valid with the flag u"],
    ["x", "(?<y>a)", "expected no named groups"],
    ["x", "b|(?<y>a)", "expected no named groups"],
  ])("refuses %s with the pattern %s: %s", (name, pattern, problem) => {
    const make = () => paths({ [name]: { ...year, pattern } });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(`bad path converter "${name}" with the pattern "${pattern}": ${problem}`);
  });
});

describe("reverse", () => {
  const everything = path("ws/é/<int:i>/x<str:s>.json/<slug:g>/<uuid:u>/<path:p>", place("everything"));

  it("makes the path of a route", () => {
    expect(reverse(path("ws/chat/<room>/<int:page>/", place("chat")), { room: "tea & cake", page: 2 })).toBe(
      "/ws/chat/tea%20%26%20cake/2/",
    );
    expect(reverse(path("", place("root")), {})).toBe("/");
    expect(reverse(path("/é b/", place("literal")), {})).toBe("/%C3%A9%20b/");
    expect(reverse(path("<path:all>", place("all")), { all: "a b/c?d#e" })).toBe("/a%20b/c%3Fd%23e");
  });

  it("begins where it is told to", () => {
    const room = path("rooms/<room>/", place("room"));
    const tenant = path("<tenant>/", URLRouter([room]));
    expect(reverse(room, { room: "a" }, reverse(tenant, { tenant: "acme" }))).toBe("/acme/rooms/a/");
    expect(reverse(room, { room: "a" }, "/app")).toBe("/app/rooms/a/");
    expect(reverse(room, { room: "a" }, "")).toBe("/rooms/a/");
  });

  it("never makes a path that browsers take for another host", async () => {
    const all = path("<path:all>", place("all"));
    const made = reverse(all, { all: "/evil.tld/" });
    expect(made).toBe("/%2Fevil.tld/");
    expect((await visit(URLRouter([all]), decodeURIComponent(made)))?.urlRoute.kwargs).toEqual({ all: "/evil.tld/" });
  });

  const room = path("<room>/", place("room"));
  const page = path("<int:page>/", place("page"));
  const even = paths({
    even: { pattern: "[0-9]+", parse: (text: string) => (Number(text) % 2 ? undefined : Number(text)), format: String },
  })("<even:n>", place("even"));
  it.each([
    ["<room>", () => reverse(room, { room: "" })],
    ["<room>", () => reverse(room, { room: "a/b" })],
    ["<room>", () => reverse(room, { room: "\ud800" })],
    ["<int:page>", () => reverse(page, { page: -1 })],
    ["<int:page>", () => reverse(page, { page: 1.5 })],
    ["<int:page>", () => reverse(page, { page: Number.NaN })],
    ["<int:page>", () => reverse(page, { page: 2 ** 53 })],
    ["<even:n>", () => reverse(even, { n: 3 })],
  ])("refuses a value that %s would not match", (parameter, make) => {
    expect(make).toThrow(new TypeError(`expected a value that ${parameter} would match, got one that it refuses`));
  });

  it("refuses a missing value", () => {
    // @ts-expect-error the compiler says so too
    expect(() => reverse(room, {})).toThrow(new TypeError("expected a value for <room>, got undefined"));
  });

  it.each([".", ".."])("refuses the segment %j, which clients resolve", (segment) => {
    const problem = new TypeError(
      'expected no value to make a segment "." or "..", which clients resolve before they ask',
    );
    expect(() => reverse(room, { room: segment })).toThrow(problem);
    expect(() => reverse(path("<path:p>", place("p")), { p: `a/${segment}/b` })).toThrow(problem);
    expect(reverse(path("<room>-", place("p")), { room: segment })).toBe(`/${segment}-`);
  });

  it("is undone by the router, and by no client on the way", async () => {
    const router = URLRouter([everything]);
    const word = fc.string({ unit: "grapheme", minLength: 1 });
    const kwargs = fc.record({
      i: fc.maxSafeNat(),
      s: word.filter((text) => !text.includes("/")),
      g: fc.stringMatching(/^[-a-zA-Z0-9_]+$/),
      u: fc.uuid(),
      p: word.filter((text) => !text.split("/").some((segment) => segment === "." || segment === "..")),
    });
    await fc.assert(
      fc.asyncProperty(kwargs, async (given) => {
        const made = reverse(everything, given);
        expect(new URL(made, "http://host").pathname).toBe(made);
        expect((await visit(router, decodeURIComponent(made)))?.urlRoute.kwargs).toEqual(given);
      }),
    );
  });
});
