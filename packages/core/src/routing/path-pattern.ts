import { ConfigurationError } from "../errors.js";
import { builtinConverters, type Converter, type Converters } from "./converter.js";
import type { RouteMatch, RoutePattern } from "./route-pattern.js";

/** A pattern that also makes paths. */
export interface PathPattern<Kwargs extends object> extends RoutePattern {
  /** The percent-encoded path, without a leading slash. Throws a `TypeError` for a value that its converter refuses. */
  build(kwargs: Kwargs): string;
}

interface Parameter {
  /** As it stands in the pattern. */
  readonly source: string;
  readonly name: string;
  readonly converter: Converter<unknown>;
  /** What one value must fit from end to end. */
  readonly whole: RegExp;
}

type Part = string | Parameter;

const parameterSource = /^<(?:([A-Za-z_]\w*):)?([A-Za-z_]\w*)>$/;
/** Half of a character: it has no UTF-8 and thus no percent-encoding. */
const loneSurrogate = /\p{Surrogate}/u;
const noArguments: readonly string[] = Object.freeze([]);
const noKwargs: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * Compiles a path pattern. With `prefix` it matches the beginning of a path, up to and with a slash, else all of it.
 *
 * Matching takes time in proportion to the path: at most one parameter between two slashes and one `path` in all, so
 * there is only one way to share a path out among the parameters. Throws `ConfigurationError` for a bad pattern.
 */
export function compilePath(source: string, converters: Converters, prefix: boolean): PathPattern<object> {
  const text = source.startsWith("/") ? source.slice(1) : source;
  const bad: Bad = (problem) => new ConfigurationError(`bad path pattern "${source}": ${problem}`);
  if (prefix && text !== "" && !text.endsWith("/")) {
    throw bad(`it leads to a router, so it must end with a slash: write "${source}/"`);
  }
  const parts = parse(text, converters, bad);
  const parameters = parts.filter((part) => typeof part !== "string");
  return {
    text,
    match: parameters.length === 0 ? matchLiteral(text, prefix) : matchParameters(parts, parameters, prefix),
    build: (kwargs: Readonly<Record<string, unknown>>) => build(parts, kwargs),
  };
}

type Bad = (problem: string) => ConfigurationError;

function parse(text: string, converters: Converters, bad: Bad): Part[] {
  // Every other piece is a parameter.
  const parts = text.split(/(<[^<>]*>)/).map((source, index): Part => {
    if (index % 2 === 1) return parseParameter(source, converters, bad);
    if (/[<>]/.test(source)) throw bad(`expected each "<" to be closed by a ">", got "${source}"`);
    return source;
  });
  const parameters = parts.filter((part) => typeof part !== "string");
  const twice = parameters.find(({ name }, index) => parameters.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) throw bad(`expected different names, got "${twice.name}" twice: rename one`);
  if (parameters.filter(({ converter }) => converter === builtinConverters.path).length > 1) {
    throw bad("expected at most one parameter of type path, as it takes all it can: use rePath for more");
  }
  const crowded = text.split("/").find((segment) => segment.split("<").length > 2);
  if (crowded !== undefined) {
    throw bad(`expected one parameter between two slashes, got "${crowded}": use a converter of your own, or rePath`);
  }
  return parts;
}

function parseParameter(source: string, converters: Converters, bad: Bad): Parameter {
  const [, converterName = "str", name] = parameterSource.exec(source) ?? [];
  if (name === undefined) {
    throw bad(
      `expected <name> or <converter:name> in letters, digits and underscores, no digit first, got "${source}"`,
    );
  }
  const converter = Object.hasOwn(converters, converterName) ? converters[converterName] : undefined;
  if (converter === undefined) {
    const known = Object.keys(converters).join(", ");
    throw bad(
      `expected a converter among ${known}, got "${converterName}": add yours with paths({ ${converterName}: ... })`,
    );
  }
  return { source, name, converter, whole: new RegExp(`^(?:${converter.pattern})$`, "u") };
}

function matchLiteral(text: string, prefix: boolean): RoutePattern["match"] {
  if (!prefix) {
    const match: RouteMatch = { args: noArguments, kwargs: noKwargs, rest: "" };
    return (path) => (path === text ? match : undefined);
  }
  return (path) =>
    path.startsWith(text) && path[text.length] !== "/"
      ? { args: noArguments, kwargs: noKwargs, rest: path.slice(text.length) }
      : undefined;
}

function matchParameters(
  parts: readonly Part[],
  parameters: readonly Parameter[],
  prefix: boolean,
): RoutePattern["match"] {
  const body = parts.map((part) =>
    typeof part === "string" ? escapeForExpression(part) : `(?<${part.name}>${part.converter.pattern})`,
  );
  // A second slash after a prefix would be a second way to write each path behind it.
  const expression = new RegExp(`^${body.join("")}${prefix ? "(?!/)" : "$"}`, "u");
  return (path) => {
    const found = expression.exec(path);
    if (found?.groups === undefined) return undefined;
    const kwargs: Record<string, unknown> = {};
    for (const { name, converter } of parameters) {
      const value = converter.parse(found.groups[name] as string);
      if (value === undefined) return undefined;
      kwargs[name] = value;
    }
    return { args: noArguments, kwargs, rest: path.slice(found[0].length) };
  };
}

function escapeForExpression(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function build(parts: readonly Part[], kwargs: Readonly<Record<string, unknown>>): string {
  const path = parts.map((part) => (typeof part === "string" ? part : format(part, kwargs[part.name]))).join("");
  const segments = path.split("/");
  if (segments.includes(".") || segments.includes("..")) {
    throw new TypeError('expected no value to make a segment "." or "..", which clients resolve before they ask');
  }
  return segments.map(encodeURIComponent).join("/");
}

/** The text of a value, which may be a secret and therefore stays out of the error. */
function format({ source, converter, whole }: Parameter, value: unknown): string {
  if (value === undefined) throw new TypeError(`expected a value for ${source}, got undefined`);
  const text = converter.format(value);
  if (!whole.test(text) || converter.parse(text) === undefined || loneSurrogate.test(text)) {
    throw new TypeError(`expected a value that ${source} would match, got one that it refuses`);
  }
  return text;
}
