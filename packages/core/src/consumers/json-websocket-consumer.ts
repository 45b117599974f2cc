import type { MaybePromise } from "../app.js";
import { authMessageToken } from "../auth/auth-message.js";
import { renewOf } from "../auth/renewal.js";
import type { Refusal } from "../auth/verdict.js";
import { BadMessage } from "../errors.js";
import type { ConsumerContext } from "./consumer.js";
import { parseJson } from "./json-text.js";
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from "./standard-schema.js";
import { type SendOptions, WebsocketConsumer } from "./websocket-consumer.js";

/**
 * A {@link WebsocketConsumer} that speaks JSON, one value per text frame.
 *
 * With a `static schema`, a Standard Schema, only what it accepts reaches `receiveJson`, whose parameter then has the
 * type of its output. Without one the content is `unknown`: a client can send anything.
 *
 * Inside of `TokenAuth` a client renews its credential by `{"type":"auth","token":"..."}`, which the schema does not see. The
 * answer is `{"type":"authenticated","expires_in":<seconds>}`, without the seconds where the token does not expire, or an
 * error frame, and then the connection is what it was.
 *
 * @example
 * const Command = z.object({ command: z.string(), data_string: z.string().nullish() });
 *
 * class Commands extends JsonWebsocketConsumer {
 *   static readonly schema = Command;
 *
 *   override receiveJson(content: z.infer<typeof Command>) {
 *     return this.sendJson({ command_response: `The command to ${content.command} was received` });
 *   }
 * }
 */
export abstract class JsonWebsocketConsumer<
  Needs extends object = {},
  Events extends object = {},
  Incoming = unknown,
> extends WebsocketConsumer<Needs, Events> {
  readonly #schema: StandardSchemaV1<unknown, Incoming> | undefined;

  constructor(context: ConsumerContext<"websocket", Needs>) {
    super(context);
    // `asApp` has checked that the schema and `receiveJson` fit.
    this.#schema = (this.constructor as { readonly schema?: StandardSchemaV1<unknown, Incoming> }).schema;
  }

  /** A message came in and has passed the schema, if there is one. */
  receiveJson(_content: Incoming): MaybePromise<void> {}

  /**
   * A message came in that is not JSON or not what the schema accepts. Answers with one frame
   * `{"type":"error","code":"bad_message","message":...}` and stays open; override it to close with 4400 instead.
   */
  receiveError(error: BadMessage): MaybePromise<void> {
    return this.sendJson({ type: "error", code: error.code, message: error.message });
  }

  /**
   * Answers with one frame `{"type":"error","code":...,"message":...}` and stays open. The code is `not_authenticated` or
   * `insufficient_scope`, which names the `scope` it takes, or one of those that `renew` rejects with.
   */
  override refused({ error, detail, scope }: Refusal): MaybePromise<void> {
    return this.sendJson({ type: "error", code: error, message: detail, scope });
  }

  /**
   * The token in a message that renews the credential: that of `{"type":"auth","token":"..."}`. Override it for a message of
   * another shape, or to return undefined where clients are not to renew anything.
   */
  protected tokenIn(content: unknown): string | undefined {
    return authMessageToken(content);
  }

  /** A token came in by which the client renews its credential. Override it for another answer. */
  protected async receiveToken(token: string): Promise<void> {
    const { expiresIn } = await this.renew(token);
    await this.sendJson({ type: "authenticated", expires_in: expiresIn });
  }

  /** Sends one value. Throws a `TypeError` for what JSON cannot carry: undefined, a big integer, a cycle. */
  sendJson(content: unknown, options?: SendOptions): MaybePromise<void> {
    return this.send(this.encodeJson(content), options);
  }

  encodeJson(content: unknown): string {
    const text: string | undefined = JSON.stringify(content);
    if (text === undefined) throw new TypeError(`expected content that JSON can carry, got ${typeof content}`);
    return text;
  }

  /** What it throws counts as a bad message. Refuses `__proto__` keys and nesting beyond 100 levels. */
  decodeJson(text: string): unknown {
    return parseJson(text);
  }

  /** Decodes and checks. Override `receiveJson` instead. */
  override receive(data: string | Uint8Array): MaybePromise<void> {
    if (typeof data !== "string") return this.receiveError(new BadMessage("expected JSON in a text frame, got binary"));
    let content: unknown;
    try {
      content = this.decodeJson(data);
    } catch (error) {
      return this.receiveError(
        error instanceof BadMessage ? error : new BadMessage("expected JSON", [], { cause: error }),
      );
    }
    const token = this.tokenIn(content);
    if (token !== undefined && renewOf(this.scope) !== undefined) return this.receiveToken(token);
    if (this.#schema === undefined) return this.receiveJson(content as Incoming);
    const result = this.#schema["~standard"].validate(content);
    return result instanceof Promise ? result.then((late) => this.#checked(late)) : this.#checked(result);
  }

  #checked(result: SchemaResult<Incoming>): MaybePromise<void> {
    return result.issues === undefined ? this.receiveJson(result.value) : this.receiveError(schemaMiss(result.issues));
  }
}

/** A client could make a message with a million mistakes; it is told of a few. */
const maxIssues = 5;

function schemaMiss(found: readonly SchemaIssue[]): BadMessage {
  const issues = found.slice(0, maxIssues).map(({ path = [], message }) => ({
    path: path.map((part) => String(typeof part === "object" ? part.key : part)).join("."),
    message,
  }));
  const words = issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new BadMessage(words.join("; "), issues);
}
