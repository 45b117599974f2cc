import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { builtinConverters } from "./converter.js";
import { compilePath } from "./path-pattern.js";

const compile = (pattern: string, prefix = false) => compilePath(pattern, builtinConverters, prefix);
const kwargsOf = (pattern: string, path: string) => compile(pattern).match(path)?.kwargs;
const uuid = "0b4c1f3e-5a6d-4e7f-8a9b-0c1d2e3f4a5b";

describe("a pattern of a whole path", () => {
  it.each([
    ["ws/chat/", "ws/chat/", {}],
    ["ws/chat/", "ws/chat", undefined],
    ["ws/chat", "ws/chat/", undefined],
    ["ws/chat/", "ws/chat/x", undefined],
    ["ws/chat/", "Ws/chat/", undefined],
    ["", "", {}],
    ["", "x", undefined],
    ["/ws/", "ws/", {}],
    ["//ws/", "/ws/", {}],
    ["a.b+(c)[d]{2}|^$\\-/", "a.b+(c)[d]{2}|^$\\-/", {}],
    ["a.b/<x>/", "a-b/1/", undefined],
    ["<room>/", "lobby/", { room: "lobby" }],
    ["<room>/", "/", undefined],
    ["<room>", "a/b", undefined],
    ["<str:room>/", "tea & cake ☕/", { room: "tea & cake ☕" }],
    ["<room>", "two\nlines", { room: "two\nlines" }],
    ["<int:page>/", "42/", { page: 42 }],
    ["<int:page>/", "007/", { page: 7 }],
    ["<int:page>/", "-1/", undefined],
    ["<int:page>/", "1.5/", undefined],
    ["<int:page>/", "٣/", undefined],
    ["<int:page>/", "9007199254740991/", { page: Number.MAX_SAFE_INTEGER }],
    ["<int:page>/", "9007199254740992/", undefined],
    ["<slug:name>/", "a-B_9/", { name: "a-B_9" }],
    ["<slug:name>/", "ä/", undefined],
    [`<uuid:id>/`, `${uuid}/`, { id: uuid }],
    [`<uuid:id>/`, `${uuid.toUpperCase()}/`, undefined],
    [`<uuid:id>/`, `${uuid}0/`, undefined],
    ["files/<path:name>", "files/a/b\n/c", { name: "a/b\n/c" }],
    ["files/<path:name>", "files/", undefined],
    ["files/<path:name>/edit/<int:line>/", "files/a/edit/1/edit/2/", { name: "a/edit/1", line: 2 }],
    ["room-<int:id>.json", "room-7.json", { id: 7 }],
    ["room-<int:id>.json", "room-7xjson", undefined],
    ["<a>/<int:b>/<c>", "x/1/y", { a: "x", b: 1, c: "y" }],
  ])("%j takes %j as %j", (pattern, path, kwargs) => {
    expect(kwargsOf(pattern, path)).toEqual(kwargs);
  });

  it("leaves nothing of the path", () => {
    expect(compile("<room>/").match("lobby/")).toEqual({ args: [], kwargs: { room: "lobby" }, rest: "" });
    expect(compile("lobby/").match("lobby/")).toEqual({ args: [], kwargs: {}, rest: "" });
  });

  it("is known by its text without a leading slash", () => {
    expect(compile("/ws/<room>/").text).toBe("ws/<room>/");
  });
});

describe("a pattern of the beginning of a path", () => {
  it.each([
    ["api/", "api/x/", "x/"],
    ["api/", "api/", ""],
    ["api/", "api", undefined],
    ["api/", "apix/", undefined],
    ["api/", "api//x/", undefined],
    ["", "x/", "x/"],
    ["", "", ""],
    ["", "/x/", undefined],
    ["/", "x/", "x/"],
    ["<tenant>/", "acme/x/", "x/"],
    ["<tenant>/", "acme/", ""],
    ["<tenant>/", "acme", undefined],
    ["<tenant>/", "acme//x/", undefined],
    ["<int:tenant>/", "acme/x/", undefined],
    ["<path:all>/in/", "a/in/b/in/c", "c"],
  ])("%j leaves of %j %j", (pattern, path, rest) => {
    expect(compile(pattern, true).match(path)?.rest).toBe(rest);
  });

  it("has to end with a slash", () => {
    expect(() => compile("api", true)).toThrow(
      new ConfigurationError('bad path pattern "api": it leads to a router, so it must end with a slash: write "api/"'),
    );
  });
});

describe("a bad pattern", () => {
  it.each([
    ["<int:>", 'expected <name> or <converter:name> in letters, digits and underscores, no digit first, got "<int:>"'],
    ["<>", 'got "<>"'],
    ["<:x>", 'got "<:x>"'],
    ["<str:1x>", 'got "<str:1x>"'],
    ["<str: x>", 'got "<str: x>"'],
    ["< x>", 'got "< x>"'],
    ["<x >", 'got "<x >"'],
    ["<a-b>", 'got "<a-b>"'],
    ["<str:int:x>", 'got "<str:int:x>"'],
    ["<foo:x>", 'expected a converter among int, str, slug, uuid, path, got "foo": add yours with paths({ foo: ... })'],
    ["<constructor:x>", 'got "constructor"'],
    ["<x>/<int:x>", 'expected different names, got "x" twice'],
    ["a/<x", 'expected each "<" to be closed by a ">", got "a/<x"'],
    ["a/x>", 'got "a/x>"'],
    ["<<x>>", "expected each"],
    ["<x>-<y>/", 'expected one parameter between two slashes, got "<x>-<y>"'],
    ["<x><y>", 'got "<x><y>"'],
    ["<path:x>/<path:y>", "expected at most one parameter of type path"],
  ])("%j is refused while building: %s", (pattern, problem) => {
    expect(() => compile(pattern)).toThrow(ConfigurationError);
    expect(() => compile(pattern)).toThrow(`bad path pattern "${pattern}": `);
    expect(() => compile(pattern)).toThrow(problem);
  });
});

describe("matching", () => {
  /** How many times the processor time `work` takes for sixteen times the size. The best of many, or of half a second. */
  function growth(work: (size: number) => unknown, size: number): number {
    const best = (of: number): number => {
      let fastest = Number.POSITIVE_INFINITY;
      let spent = 0;
      for (let round = 0; round < 20 && spent < 500_000; round++) {
        const start = process.cpuUsage();
        for (let again = 0; again < 10; again++) work(of);
        const { user, system } = process.cpuUsage(start);
        fastest = Math.min(fastest, user + system);
        spent += user + system;
      }
      return Math.max(fastest, 1);
    };
    return best(16 * size) / best(size);
  }

  const inputs: readonly ((size: number) => string)[] = [
    (size) => "a".repeat(size),
    (size) => "1".repeat(size),
    (size) => "/".repeat(size),
    (size) => "a/".repeat(size / 2),
    (size) => "1/".repeat(size / 2),
    (size) => "a1".repeat(size / 2),
    (size) => "x-1-x/".repeat(size / 6),
    (size) => `x-${"-x".repeat(size / 2)}/`,
    (size) => `x-${"a".repeat(size / 2)}-x/${"1/".repeat(size / 4)}?`,
  ];

  it.each([
    "<str:a>/<slug:b>/<int:c>/end",
    "x-<str:a>-x/<str:b>/x-<int:c>-x/end",
    "<slug:a>1/<slug:b>a/end",
    "<path:a>/<int:b>/<str:c>/x-<slug:d>-x/end",
    "x-<str:a>-x/<path:b>/<int:c>/<int:d>/end",
    "<path:a>1/end",
    "a<path:a>/a<str:b>a/end",
  ])("of %j takes time in proportion to the path, up to 100 KB of the worst", (pattern) => {
    const patterns = [compile(pattern), compile(`${pattern}/`, true)];
    const paths = new Map([6_000, 96_000].map((size) => [size, inputs.map((input) => input(size))]));
    const ratio = growth((size) => {
      for (const path of paths.get(size) ?? []) {
        for (const { match } of patterns) expect(match(path) === undefined).toBe(true);
      }
    }, 6_000);
    // 16 if the work is in proportion, 256 if it grows with the square.
    expect(ratio).toBeLessThan(64);
  });

  it("would show in this measure if it grew with the square", () => {
    const quadratic = /^[^/]+-[^/]+\/end$/;
    expect(growth((size) => quadratic.test("a-".repeat(size / 2)), 300)).toBeGreaterThan(64);
  });

  it("throws for no path", () => {
    const all = ["<int:a>/<str:b>/x<slug:c>y/<uuid:d>/<path:e>", "a/<path:b>/<int:c>/", "a/b/"].flatMap((pattern) => [
      compile(pattern),
      compile(pattern.endsWith("/") ? pattern : `${pattern}/`, true),
    ]);
    const anyPath = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.oneof(fc.constantFrom("", ".", "..", "a", "1", "xy", uuid), fc.string()))
        .map((parts) => parts.join("/")),
    );
    fc.assert(
      fc.property(anyPath, (path) => {
        for (const pattern of all) {
          const match = pattern.match(path);
          if (match !== undefined) expect(path.endsWith(match.rest)).toBe(true);
        }
      }),
    );
  });
});
