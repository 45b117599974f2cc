import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtinConverters } from "./converter.js";
import { compilePath } from "./path-pattern.js";

type Kwargs = Readonly<Record<string, unknown>>;

/** Everything but what a pattern or a path is divided by; what means something to an expression, above all. */
const literal = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..."\\^$.*+?()[]{}|-%&=# aZ09_"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 5,
});
const plain = literal.map((text) => text.replaceAll(/[<>/]/g, ""));

const values = {
  int: fc.maxSafeNat(),
  str: fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("/")),
  slug: fc.stringMatching(/^[-a-zA-Z0-9_]+$/),
  uuid: fc.uuid(),
  path: fc.string({
    unit: fc.oneof(fc.constant("/"), fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })),
    minLength: 1,
  }),
} as const;

interface Segment {
  readonly before: string;
  readonly converter: keyof typeof values | undefined;
  readonly after: string;
}

const converterName = fc.constantFrom(...(Object.keys(values) as (keyof typeof values)[]));
const segment: fc.Arbitrary<Segment> = fc.record({
  before: plain,
  converter: fc.option(converterName, { nil: undefined }),
  after: plain,
});

interface Written {
  readonly source: string;
  readonly kwargs: Kwargs;
  readonly hasPath: boolean;
}

/** A pattern, with values for its parameters. */
const written: fc.Arbitrary<Written> = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  // A pattern can have one parameter that takes slashes.
  .map((segments) => {
    const first = segments.findIndex(({ converter }) => converter === "path");
    return segments.map((each, at) =>
      each.converter === "path" && at !== first ? { ...each, converter: "str" as const } : each,
    );
  })
  .chain((segments) => {
    const names = segments.map(({ converter }, at) => [`p${at}`, converter] as const);
    const source = segments
      .map(
        ({ before, converter, after }, at) => before + (converter === undefined ? "" : `<${converter}:p${at}>`) + after,
      )
      .join("/");
    const kwargs = fc.record(
      Object.fromEntries(
        names.flatMap(([name, converter]) => (converter === undefined ? [] : [[name, values[converter]]])),
      ),
    );
    const hasPath = segments.some(({ converter }) => converter === "path");
    return kwargs.map((given) => ({ source, kwargs: given, hasPath }));
  });

/** The path that is built, as it comes in again; undefined if there is none that a client would send as it is. */
function built(pattern: ReturnType<typeof compilePath>, kwargs: Kwargs): string | undefined {
  try {
    return decodeURIComponent(pattern.build(kwargs));
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toContain('segment "." or ".."');
    return undefined;
  }
}

describe("any pattern", () => {
  it("finds in the path it has built the values it was given", () => {
    let seen = 0;
    fc.assert(
      fc.property(written, ({ source, kwargs }) => {
        const pattern = compilePath(source, builtinConverters, false);
        const path = built(pattern, kwargs);
        if (path === undefined) return;
        seen++;
        expect(pattern.match(path)).toEqual({ args: [], kwargs, rest: "" });
      }),
      { numRuns: 2_000 },
    );
    expect(seen).toBeGreaterThan(1_000);
  });

  it("leaves to an inner router just what comes behind it", () => {
    const rest = fc.string({ unit: "grapheme" }).filter((text) => !text.startsWith("/"));
    fc.assert(
      fc.property(
        written.filter(({ hasPath }) => !hasPath),
        rest,
        ({ source, kwargs }, behind) => {
          const pattern = compilePath(`${source}/`, builtinConverters, true);
          const path = built(pattern, kwargs);
          if (path === undefined) return;
          expect(pattern.match(path + behind)).toEqual({ args: [], kwargs, rest: behind });
          // Else there would be two ways to write each path.
          expect(pattern.match(`${path}/${behind}`)).toBeUndefined();
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("makes of a path that it matches the same path again", () => {
    fc.assert(
      fc.property(
        written,
        fc.array(fc.oneof(plain, fc.constantFrom("", "0", "1", "a")), { maxLength: 6 }),
        ({ source }, parts) => {
          const pattern = compilePath(source, builtinConverters, false);
          const path = parts.join("/");
          const match = pattern.match(path);
          if (match === undefined) return;
          const again = built(pattern, match.kwargs);
          // Zeros in front of a number are one more way to write it.
          if (again !== undefined) expect(pattern.match(again)).toEqual(match);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is done with 200 KB that nearly fit, which would take minutes if the time grew with the square", () => {
    fc.assert(
      fc.property(written, fc.constantFrom("", "/", "?", "\0"), fc.boolean(), ({ source, kwargs }, end, isPrefix) => {
        const pattern = compilePath(isPrefix ? `${source}/` : source, builtinConverters, isPrefix);
        const path = built(pattern, kwargs) ?? "a/";
        const pieces = [path, path.slice(0, -1), path.replaceAll("/", ""), path.slice(1), `${path}/`];
        for (const piece of pieces) {
          if (piece === "") continue;
          const long = piece.repeat(Math.ceil(200_000 / piece.length)) + end;
          const match = pattern.match(long);
          if (match !== undefined) expect(long.endsWith(match.rest)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
