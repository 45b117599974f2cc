import { ConfigurationError } from "../errors.js";

/**
 * Turns the text of one path parameter into a value and back.
 *
 * @example
 * const day: Converter<Date> = {
 *   pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
 *   parse(text) {
 *     const date = new Date(text);
 *     return Number.isNaN(date.getTime()) ? undefined : date;
 *   },
 *   format: (date) => date.toISOString().slice(0, 10),
 * };
 */
export interface Converter<Value> {
  /**
   * Source of the regular expression (with flag `u`) that the text fits from end to end. Must not contain named groups
   * or numbered back references, and must not backtrack badly: it meets whatever a client sends.
   */
  readonly pattern: string;
  /** The value of a text that fits the pattern; undefined if it stands for none, which is no match. Must not throw. */
  parse(text: string): Value | undefined;
  /** The text of a value, not percent-encoded. What does not fit the pattern then is refused by `reverse`. */
  format(value: NoInfer<Value>): string;
}

/** Converters by the name that patterns call them, for values of the types in `Values`. */
export type Converters<Values extends object = Readonly<Record<string, unknown>>> = {
  readonly [Name in keyof Values]: Converter<Values[Name]>;
};

/** The converters that every pattern knows and the types of their values. Names and syntax are Django's. */
export interface BuiltinValues {
  /** Decimal digits without a sign. One that is not a safe integer does not match. */
  readonly int: number;
  /** Anything but a slash. What `<name>` means. */
  readonly str: string;
  /** ASCII letters, digits, hyphens and underscores. */
  readonly slug: string;
  /** A UUID in lower case, with its hyphens. */
  readonly uuid: string;
  /** Anything, slashes too, as far as it goes. */
  readonly path: string;
}

function text(pattern: string): Converter<string> {
  return { pattern, parse: (found) => found, format: (value) => value };
}

export const builtinConverters: Converters<BuiltinValues> = {
  int: {
    pattern: "[0-9]+",
    parse(found) {
      const value = Number(found);
      return Number.isSafeInteger(value) ? value : undefined;
    },
    format: String,
  },
  str: text("[^/]+"),
  slug: text("[-a-zA-Z0-9_]+"),
  uuid: text("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
  path: text("[\\s\\S]+"),
};

/** Throws `ConfigurationError` for a converter that patterns could not use. */
export function checkConverter(name: string, { pattern }: Converter<unknown>): void {
  const bad = (problem: string, options?: ErrorOptions): ConfigurationError =>
    new ConfigurationError(`bad path converter "${name}" with the pattern "${pattern}": ${problem}`, options);
  if (!/^[A-Za-z_]\w*$/.test(name)) throw bad("expected a name of letters, digits and underscores, no digit first");
  try {
    // With an empty alternative it matches the empty string and shows its groups.
    if (new RegExp(`(?:${pattern})|`, "u").exec("")?.groups === undefined) return;
  } catch (cause) {
    throw bad("expected a regular expression that is valid with the flag u", { cause });
  }
  throw bad("expected no named groups, as the parameter itself is one: use (?:...)");
}
