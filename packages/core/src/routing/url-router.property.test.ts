import { webSocketScope } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { App, Connection, Receive } from "../app.js";
import { RouteNotFound } from "../errors.js";
import { middleware } from "../middleware.js";
import { path } from "./path.js";
import { rePath } from "./re-path.js";
import { reverse } from "./reverse.js";
import type { Routed } from "./url-route.js";
import { URLRouter } from "./url-router.js";

const noEvents: Receive<"websocket"> = Object.assign(() => Promise.reject(new Error("no events")), {
  pipe: () => Promise.resolve(),
});

type Router = App<"websocket">;
interface Visit extends Routed {
  readonly name: string;
}

/** Leaves in the state where it is and what it was given. */
function place(name: string): App<Connection, Routed> {
  return ({ state, urlRoute, pathRemaining }) => {
    state.visit = { name, urlRoute, pathRemaining };
  };
}

async function visit(router: Router, at: string, rootPath = ""): Promise<Visit | undefined> {
  const scope = webSocketScope({ path: at, rawPath: at, rootPath });
  try {
    await router(scope, noEvents, () => {});
  } catch (error) {
    if (error instanceof RouteNotFound) return undefined;
    throw error;
  }
  return scope.state.visit as Visit;
}

/** A tree of routes as data, for a router to be made of, and for a second opinion. */
interface Branch {
  readonly segments: readonly string[];
  readonly inner: readonly Branch[] | undefined;
  readonly wrapped: boolean;
}

const segment = fc.constantFrom("a", "b", "1", "<x>", "<int:n>", "<slug:s>");
const { branches } = fc.letrec<{ branches: Branch[]; branch: Branch }>((tie) => ({
  branch: fc.record({
    segments: fc.uniqueArray(segment, { maxLength: 2 }),
    inner: fc.option(tie("branches"), { nil: undefined, depthSize: "small" }),
    wrapped: fc.boolean(),
  }),
  branches: fc.array(tie("branch"), { maxLength: 4 }),
}));

/** A route for each branch: `"a/<x>/"`. Those without inner ones are named by their place in the tree. */
function routerOf(tree: readonly Branch[], at = ""): Router {
  return URLRouter(
    tree.map(({ segments, inner, wrapped }, index) => {
      const here = `${at}/${index}`;
      const app = inner === undefined ? place(here) : routerOf(inner, here);
      // Through middleware, a router is seen all the same.
      return path(
        patternOf(segments) as string,
        (wrapped ? middleware((given) => given)(app as Router) : app) as Router,
      );
    }),
  );
}

const patternOf = (segments: readonly string[]): string => segments.map((each) => `${each}/`).join("");

interface Found {
  readonly name: string;
  readonly route: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** What routing means, on segments instead of characters. Undefined if no route fits. */
function find(tree: readonly Branch[], path: readonly string[], at = ""): Found | undefined {
  for (const [index, { segments, inner }] of tree.entries()) {
    const kwargs: Record<string, unknown> = {};
    const fits = segments.every((pattern, place) => fitSegment(pattern, path[place], kwargs));
    if (!fits) continue;
    const rest = path.slice(segments.length);
    const here = `${at}/${index}`;
    if (inner === undefined) {
      if (rest.length === 0) return { name: here, route: patternOf(segments), kwargs };
      continue;
    }
    const found = find(inner, rest, here);
    if (found !== undefined) {
      return { ...found, route: patternOf(segments) + found.route, kwargs: { ...kwargs, ...found.kwargs } };
    }
  }
  return undefined;
}

function fitSegment(pattern: string, text: string | undefined, kwargs: Record<string, unknown>): boolean {
  if (text === undefined || text === "") return false;
  if (!pattern.startsWith("<")) return pattern === text;
  if (pattern === "<int:n>" && !/^\d+$/.test(text)) return false;
  if (pattern === "<slug:s>" && !/^[-\w]+$/.test(text)) return false;
  const name = pattern
    .slice(pattern.indexOf(":") + 1)
    .replace(/^<|>$/g, "")
    .replace("<", "");
  kwargs[name] = pattern === "<int:n>" ? Number(text) : text;
  return true;
}

describe("routers in routers", () => {
  const word = fc.oneof(fc.constantFrom("a", "b", "1", "a b", "é", "-"), fc.stringMatching(/^[a-z0-9]{1,3}$/));

  it("find what a look at each segment finds, through middleware too", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(branches, fc.array(word, { maxLength: 6 }), async (tree, segments) => {
        const wanted = find(tree, segments);
        if (wanted !== undefined) found++;
        const seen = await visit(routerOf(tree), `/${patternOf(segments)}`);
        expect(seen && { name: seen.name, route: seen.urlRoute.route, kwargs: seen.urlRoute.kwargs }).toEqual(wanted);
        expect(seen?.pathRemaining ?? "").toBe("");
      }),
      { numRuns: 3_000 },
    );
    expect(found).toBeGreaterThan(100);
  });

  it("find the same behind a root path", async () => {
    const root = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => `/${words.join("/")}`);
    await fc.assert(
      fc.asyncProperty(branches, fc.array(word, { maxLength: 4 }), root, async (tree, segments, rootPath) => {
        const at = `/${patternOf(segments)}`;
        const router = routerOf(tree);
        expect(await visit(router, rootPath + at, rootPath)).toEqual(await visit(router, at));
      }),
      { numRuns: 500 },
    );
  });

  it("are led to by what reverse makes of the one and the other", async () => {
    const value = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => !text.includes("/") && text !== "." && text !== "..");
    const inner = path("<room>/<int:page>/", place("inner"));
    const outer = path("in/<tenant>/", URLRouter([inner]));
    const router = URLRouter([outer]);
    await fc.assert(
      fc.asyncProperty(value, value, fc.maxSafeNat(), async (tenant, room, page) => {
        const made = reverse(inner, { room, page }, reverse(outer, { tenant }));
        expect(new URL(made, "http://host").pathname).toBe(made);
        const seen = await visit(router as Router, decodeURIComponent(made));
        expect(seen?.urlRoute.kwargs).toEqual({ tenant, room, page });
      }),
    );
  });
});

describe("the groups of a rePath", () => {
  const word = fc.stringMatching(/^[a-z]{1,4}$/);

  it("catch what stands in their place, and leave out what takes no part", async () => {
    const router = URLRouter([rePath(/^(?<first>[a-z]+)(?:-(?<second>[a-z]+))?\/$/, place("named"))]);
    await fc.assert(
      fc.asyncProperty(word, fc.option(word, { nil: undefined }), async (first, second) => {
        const at = second === undefined ? `/${first}/` : `/${first}-${second}/`;
        const kwargs = second === undefined ? { first } : { first, second };
        expect((await visit(router as Router, at))?.urlRoute).toMatchObject({ args: [] });
        expect((await visit(router as Router, at))?.urlRoute.kwargs).toEqual(kwargs);
      }),
    );
  });

  it("are handed on in order, the outer ones first, with what is left for the inner router", async () => {
    const inner = URLRouter([rePath(/^([a-z]+)\/([a-z]+)?$/, place("inner"))]);
    const router = URLRouter([rePath(/^([a-z]+)\//, inner)]);
    await fc.assert(
      fc.asyncProperty(word, word, fc.option(word, { nil: undefined }), async (one, two, three) => {
        const seen = await visit(router as Router, `/${one}/${two}/${three ?? ""}`);
        expect(seen?.urlRoute.args).toEqual([one, two, three]);
        expect(seen?.pathRemaining).toBe("");
      }),
    );
  });

  it("take any path for one that fits or for none, without a throw", async () => {
    const router = URLRouter([
      rePath(/^(?<a>[^/]*)\/(?<b>\d+)$/u, place("a")),
      rePath(/x(y)?(?=z)/su, URLRouter([rePath(/^z(.*)$/s, place("b"))])),
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.oneof(fc.constantFrom(..."xyz/1"), fc.string({ unit: "binary", maxLength: 1 })) }),
        async (at) => {
          const seen = await visit(router as Router, at);
          const text = at.startsWith("/") ? at.slice(1) : at;
          const wanted = /^[^/]*\/\d+$/u.test(text) ? "a" : /xy?z/u.test(text) ? "b" : undefined;
          expect(seen?.name).toBe(wanted);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
