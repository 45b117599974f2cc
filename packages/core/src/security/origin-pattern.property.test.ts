import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { compileOrigin, type Origin, parseOrigin } from "./origin-pattern.js";

/** Labels as people write them, and as they are on the wire. */
const international = [
  ["bücher", "xn--bcher-kva"],
  ["例え", "xn--r8jz45g"],
  ["россия", "xn--h1alffa9f"],
] as const;

interface Name {
  readonly written: string;
  readonly wire: string;
}

const ascii: fc.Arbitrary<Name> = fc
  .stringMatching(/^[a-z]([a-z0-9]{0,6}[a-z])?$/)
  .map((label) => ({ written: label, wire: label }));
const label = fc.oneof(
  { weight: 4, arbitrary: ascii },
  fc.constantFrom(...international).map(([written, wire]) => ({ written, wire })),
);
const host: fc.Arbitrary<Name> = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => ({
  written: labels.map(({ written }) => written).join("."),
  wire: labels.map(({ wire }) => wire).join("."),
}));
const port = fc.oneof(fc.constantFrom(80, 443, 8000, 8443), fc.integer({ min: 1, max: 65_535 }));
const scheme = fc.constantFrom("http", "https", "ws", "wss");

const asHttp = (name: string): string => name.replace("ws", "http");
const defaultPort = (name: string): number => (asHttp(name) === "https" ? 443 : 80);

interface Place {
  readonly scheme: string;
  readonly host: Name;
  readonly port: number | undefined;
}

const place: fc.Arbitrary<Place> = fc.record({
  scheme,
  host,
  port: fc.option(port, { nil: undefined }),
});

/** The ways to write one and the same origin. */
interface Spelling {
  readonly upperCase: boolean;
  readonly dot: boolean;
  readonly wire: boolean;
}

const spelling: fc.Arbitrary<Spelling> = fc.record({ upperCase: fc.boolean(), dot: fc.boolean(), wire: fc.boolean() });

function spell({ scheme, host, port }: Place, { upperCase, dot, wire }: Spelling): string {
  const written = `${scheme}://${wire ? host.wire : host.written}${dot ? "." : ""}${port === undefined ? "" : `:${port}`}`;
  return upperCase ? written.toUpperCase() : written;
}

interface Wanted {
  readonly scheme: string | undefined;
  readonly below: boolean;
  readonly host: Name;
  readonly port: number | undefined;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  scheme: fc.option(scheme, { nil: undefined }),
  below: fc.boolean(),
  host,
  port: fc.option(port, { nil: undefined }),
});

const patternOf = ({ scheme, below, host, port }: Wanted): string =>
  `${scheme === undefined ? "" : `${scheme}://`}${below ? "." : ""}${host.written}${port === undefined ? "" : `:${port}`}`;

/** The rule in the words of the documentation, on places that nobody had to take apart. */
function isMeant(pattern: Wanted, origin: Place): boolean {
  const isHost =
    origin.host.wire === pattern.host.wire || (pattern.below && origin.host.wire.endsWith(`.${pattern.host.wire}`));
  const originPort = origin.port ?? defaultPort(origin.scheme);
  if (pattern.scheme === undefined) return isHost && (pattern.port === undefined || pattern.port === originPort);
  const patternPort = pattern.port ?? defaultPort(pattern.scheme);
  return isHost && asHttp(pattern.scheme) === asHttp(origin.scheme) && patternPort === originPort;
}

const fits = (pattern: string, value: string): boolean => {
  const origin = parseOrigin(value);
  return origin !== undefined && compileOrigin(pattern)(origin);
};

const glue = (one: Name, between: string, other: Name): Name => ({
  written: one.written + between + other.written,
  wire: one.wire + between + other.wire,
});

describe("a pattern lets in just the origins that are meant", () => {
  /** A host near the pattern's: itself, below it, above it, or one that only looks like it. */
  const near = (pattern: Wanted): fc.Arbitrary<Name> =>
    fc.oneof(
      fc.constant(pattern.host),
      label.map((under) => glue(under, ".", pattern.host)),
      host.map((evil) => glue(pattern.host, ".", evil)),
      ascii.map((before) => glue(before, "", pattern.host)),
      ascii.map((before) => glue(before, "-", pattern.host)),
      ascii.map((after) => glue(pattern.host, "", after)),
      fc.tuple(label, host).map(([under, evil]) => glue(glue(under, ".", pattern.host), ".", evil)),
      host,
    );
  const pairs = wanted.chain((pattern) =>
    fc.tuple(
      fc.constant(pattern),
      fc.record({
        scheme: fc.oneof(fc.constant(pattern.scheme ?? "https"), scheme),
        host: near(pattern),
        port: fc.oneof(fc.constant(pattern.port), fc.option(port, { nil: undefined })),
      }),
    ),
  );

  it("by scheme, host and port, however the origin is spelled", () => {
    let met = 0;
    fc.assert(
      fc.property(pairs, spelling, ([pattern, origin], way) => {
        // A label may join a punycode one to something that is none: then it is no host at all.
        const value = spell(origin, way);
        const read = parseOrigin(value);
        if (read === undefined || read.host !== origin.host.wire) return;
        if (isMeant(pattern, origin)) met++;
        expect(fits(patternOf(pattern), value), `${patternOf(pattern)} and ${value}`).toBe(isMeant(pattern, origin));
      }),
      { numRuns: 5_000 },
    );
    expect(met).toBeGreaterThan(100);
  });

  it("and no host that only has its name at one end", () => {
    fc.assert(
      fc.property(wanted, host, spelling, fc.constantFrom(".", "-", ""), (pattern, evil, way, between) => {
        const text = patternOf(pattern);
        const place = { scheme: pattern.scheme ?? "https", port: pattern.port };
        // With the pattern's own name behind it, and not at its end.
        const foreign = glue(glue(pattern.host, ".", evil), between, { written: "tld", wire: "tld" });
        if (foreign.wire.endsWith(pattern.host.wire)) return;
        expect(fits(text, spell({ ...place, host: foreign }, way))).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("an origin", () => {
  it("is the same in every spelling", () => {
    fc.assert(
      fc.property(place, spelling, spelling, (origin, one, other) => {
        expect(parseOrigin(spell(origin, one))).toEqual(parseOrigin(spell(origin, other)));
        expect(parseOrigin(spell(origin, one))).toEqual({
          scheme: asHttp(origin.scheme),
          host: origin.host.wire,
          port: String(origin.port ?? defaultPort(origin.scheme)),
        });
      }),
    );
  });

  it("is none with anything behind it, or in front of it", () => {
    const junk = fc.constantFrom(
      "/",
      "/x",
      "?",
      "?x",
      "#",
      "#x",
      " ",
      "\t",
      "\n",
      "\0",
      "\\",
      "@evil.tld",
      ",",
      "%2e",
      ":x",
      "*",
    );
    fc.assert(
      fc.property(place, junk, fc.boolean(), (origin, text, inFront) => {
        const written = spell(origin, { upperCase: false, dot: false, wire: true });
        const value = inFront ? text + written : written + text;
        // A comma and the like are no part of a host, so there is nothing that it could be mistaken for.
        expect(compileOrigin(origin.host.written)(parseOrigin(value) ?? { scheme: "", host: "", port: "" })).toBe(
          false,
        );
      }),
    );
  });
});

describe("a pattern of any text", () => {
  it("is compiled, or refused while building with the error for it", () => {
    const piece = fc.oneof(
      fc.constantFrom("https://", ".", ":", "*", "example.com", "443", "@", "[::1]", "null"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), place, (pieces, origin) => {
        try {
          const matches = compileOrigin(pieces.join(""));
          const read = parseOrigin(spell(origin, { upperCase: false, dot: false, wire: true }));
          expect(typeof matches(read as Origin)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
