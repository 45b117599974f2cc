import type { LayerMessage } from "../ports/channel-layer.js";

/** A cycle is deeper than any limit, so this finds cycles too. */
const maxDepth = 100;

/**
 * A frozen deep copy of `message`: what its sender does with the original afterwards, and what one receiver does with
 * the copy, nobody else can see.
 *
 * Throws a `TypeError` that names the field for what JSON cannot carry as it is: undefined, functions, symbols, big
 * integers, NaN and infinities, and instances of classes such as Date, Map and Uint8Array.
 */
export function plainMessage(message: LayerMessage): LayerMessage {
  checkType(message);
  return plain(message, ["message"]) as LayerMessage;
}

/** The same of any value, which errors call `name`. */
export function plainValue(value: unknown, name: string): unknown {
  return plain(value, [name]);
}

/** The frozen message that another process has sent as JSON. Throws for what no process can have sent. */
export function parsedMessage(json: string): LayerMessage {
  const message = parse(json) as LayerMessage;
  checkType(message);
  return freezeDeep(message);
}

/** The parser's own error would quote what it stumbled over. */
function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new TypeError(`expected a message in JSON, got ${json.length} characters of something else`);
  }
}

function checkType(message: LayerMessage): void {
  if (typeof message !== "object" || message === null || typeof message.type !== "string" || message.type === "") {
    throw new TypeError('expected a message with a "type" such as "chat.message"');
  }
  if (message.type.startsWith("layer.")) {
    throw new TypeError(
      `expected a type that does not begin with "layer.", which layers use, got ${shown([message.type])}`,
    );
  }
}

function plain(value: unknown, path: string[]): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object": {
      if (value === null) return null;
      if (path.length > maxDepth) {
        throw new TypeError(
          `expected at most ${maxDepth} levels and no cycle, got more under ${shown(path.slice(0, 4))}`,
        );
      }
      if (Array.isArray(value)) return plainArray(value, path);
      if (isPlainObject(value)) return plainObject(value, path);
    }
  }
  throw new TypeError(`expected plain data that JSON can carry in ${shown(path)}, got ${kindOf(value)}`);
}

/** Freezes what has come out of a parser, and so is nobody else's yet. */
function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) freezeDeep(part);
  return Object.freeze(value);
}

function plainArray(array: readonly unknown[], path: string[]): readonly unknown[] {
  // Not map(), which would leave a hole as it is.
  return Object.freeze(Array.from(array, (item, index) => plainField(String(index), item, path)));
}

function plainObject(object: Readonly<Record<string, unknown>>, path: string[]): object {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    const value = plainField(key, object[key], path);
    // An assignment to this name would set the prototype instead.
    if (key === "__proto__") Object.defineProperty(copy, key, { value, enumerable: true });
    else copy[key] = value;
  }
  return Object.freeze(copy);
}

function plainField(key: string, value: unknown, path: string[]): unknown {
  path.push(key);
  const copy = plain(value, path);
  path.pop();
  return copy;
}

/** True also for an object of another realm, whose `Object.prototype` is a different one. */
function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function shown(path: readonly string[]): string {
  return JSON.stringify(path.join("."));
}

function kindOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return value.constructor.name;
  return typeof value === "number" ? String(value) : typeof value;
}
