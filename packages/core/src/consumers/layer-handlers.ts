import type { MaybePromise } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { LayerMessage } from "../ports/channel-layer.js";
import type { Logger } from "../ports/logger.js";
import { handlerName } from "./layer-events.js";

type Handler = (this: object, message: LayerMessage) => MaybePromise<void>;

/** Begins with a letter, in each of its dotted parts: no private method, no empty name. */
const messageType = /^[A-Za-z]\w*(?:\.[A-Za-z]\w*)*$/;

/** Methods that belong to the library and to the language: a message must not reach them, whatever a class lists. */
const reserved: ReadonlySet<string> = new Set([
  ...["constructor", "connect", "receive", "disconnect", "accept", "send", "close", "emit"],
  ...["receiveJson", "receiveError", "sendJson", "encodeJson", "decodeJson"],
  ...["requireUser", "requireScope", "renew", "refused", "allowsGroup", "tokenIn", "receiveToken"],
  ...["handle", "sendHeaders", "sendBody", "sendResponse"],
  ...["scope", "groups", "channelLayer", "channelName", "maxBodySize"],
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** A consumer class as far as its handlers go. */
export interface HandlingClass {
  readonly name: string;
  readonly prototype: object;
  readonly handlers?: readonly string[];
}

/**
 * The methods of a consumer class that a channel layer may call: those that its `static handlers` lists, and no others.
 * Whoever can send to a group can choose the type of a message, so it must not choose among all methods.
 */
export class LayerHandlers {
  readonly #class: string;
  readonly #logger: Logger;
  readonly #handlers = new Map<string, Handler>();
  #unhandled = 0;

  /** Throws `ConfigurationError` for a listed type that no method can handle. */
  constructor(consumer: HandlingClass, logger: Logger) {
    this.#class = consumer.name;
    this.#logger = logger;
    const taken = new Set<string>();
    for (const type of consumer.handlers ?? []) {
      const name = handlerName(type);
      const handler: unknown = Reflect.get(consumer.prototype, name);
      const problem = problemOf(type, name, handler, taken);
      if (problem !== undefined) throw new ConfigurationError(`expected ${consumer.name}.handlers ${problem}`);
      taken.add(name);
      this.#handlers.set(type, handler as Handler);
    }
  }

  get size(): number {
    return this.#handlers.size;
  }

  /** True if a method handles messages of `type`. */
  handles(type: string): boolean {
    return this.#handlers.has(type);
  }

  /** Calls the handler of the message's type. A message without one is logged and counted, and harms nobody. */
  dispatch(consumer: object, message: LayerMessage): MaybePromise<void> {
    const handler = this.#handlers.get(message.type);
    if (handler !== undefined) return handler.call(consumer, message);
    this.#unhandled++;
    this.#logger.warn(
      { consumer: this.#class, type: message.type, unhandled: this.#unhandled },
      "a channel layer message has no handler; list its type in the consumer's static handlers",
    );
  }
}

function problemOf(type: string, name: string, handler: unknown, taken: ReadonlySet<string>): string | undefined {
  if (!messageType.test(type)) {
    return `to list types such as "chat.message", of letters, digits, "_" and "." after a letter, got ${JSON.stringify(type)}`;
  }
  if (reserved.has(name)) return `not to list "${type}": the method ${name} is not a layer's to call`;
  if (taken.has(name)) return `to list one type per method, got a second one for ${name}: "${type}"`;
  if (typeof handler !== "function") return `to list types it has a method for, got "${type}" and no method ${name}()`;
  return undefined;
}
