import {
  type App,
  type Clock,
  type Limits,
  ProtocolServer,
  systemClock,
  type WebSocketSession,
  type WebSocketTransport,
} from "@sluice/core";
import { ApplicationWatch } from "./application-watch.js";
import { Failures } from "./failures.js";
import { inject, type WithScope } from "./injected-scope.js";
import { only } from "./only.js";
import { RecordingLogger } from "./recording-logger.js";
import { type RequestOptions, requestHead } from "./request.js";
import { type ConversationOptions, WebsocketConversation } from "./websocket-conversation.js";

export interface WebsocketCommunicatorOptions extends RequestOptions, ConversationOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<Limits>;
}

/**
 * A WebSocket client of an application in the same process: no sockets, the same rules. The application runs in the
 * session that every transport drives, so refusals and errors come out as they would on the wire.
 *
 * An application that needs more of its scope than the protocol's fields is given it: `{ scope: { user: ada } }`.
 *
 * @example
 * await using client = new WebsocketCommunicator(application, "/ws/chat/lobby/", { headers: [["origin", "http://localhost"]] });
 * expect(await client.connect()).toMatchObject({ connected: true });
 * client.sendJsonTo({ type: "message", text: "hi" });
 * expect(await client.receiveJsonFrom()).toEqual({ text: "hi" });
 */
export class WebsocketCommunicator<Needs extends object = {}> extends WebsocketConversation {
  readonly #server: ProtocolServer;
  readonly #target: string;
  readonly #options: WebsocketCommunicatorOptions;
  #session: WebSocketSession | undefined;
  #accepted = false;
  #ended = false;

  constructor(
    app: App<"websocket", Needs>,
    target: string,
    ...rest: WithScope<WebsocketCommunicatorOptions, "websocket", Needs>
  ) {
    const { scope, ...options } = rest[0] ?? {};
    const logger = new RecordingLogger();
    const watch = new ApplicationWatch();
    super({ logger, failures: new Failures(logger), alone: true, watch: () => watch }, options);
    this.#target = target;
    this.#options = options;
    this.#server = new ProtocolServer(only("websocket", watch.wrap(inject(app, scope))), {
      logger,
      clock: options.clock ?? systemClock,
      limits: options.limits ?? {},
    });
  }

  protected override open(): void {
    const { subprotocols = [], headers = [] } = this.#options;
    const head = requestHead("GET", this.#target, {
      ...this.#options,
      headers: [
        ["sec-websocket-version", "13"],
        ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ...(subprotocols.length === 0 ? [] : [["sec-websocket-protocol", subprotocols.join(", ")] as const]),
        ...headers,
      ],
    });
    this.#session = this.#server.openWebSocket(this.#transport(), head);
  }

  protected override write(data: string | Uint8Array): void {
    if (this.#session === undefined || this.#ended) throw this.tooLate();
    if (!this.#accepted) throw this.tooEarly();
    const size = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    this.#session.message(copyOf(data), size);
  }

  protected override leave(code: number, reason: string): Promise<void> {
    this.#end(code, reason, "the test has left");
    return Promise.resolve();
  }

  #end(code: number, reason: string, why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session?.closed(code, reason);
    this.outbox.end(why);
  }

  #transport(): WebSocketTransport {
    return {
      buffered: 0,
      accept: ({ subprotocol, headers }) => {
        this.#accepted = true;
        this.outbox.put({ type: "handshake", handshake: { connected: true, subprotocol, headers } });
      },
      deny: (status, headers, body) => {
        this.outbox.put({ type: "handshake", handshake: { connected: false, status, headers, body: copyOf(body) } });
        this.#end(1006, "", `the handshake was refused with status ${status}`);
      },
      write: (data) => {
        this.outbox.put({ type: "message", data: copyOf(data) });
        return "ok";
      },
      close: (code, reason) => {
        this.outbox.put({ type: "close", frame: { code, reason } });
        // The peer answers a close frame, but never within the call that sent it.
        queueMicrotask(() => this.#end(code, reason, `the connection has ended with close ${code} "${reason}"`));
      },
    };
  }
}

/** As the wire would make one: whoever goes on to write into their own bytes changes nothing on the other side. */
function copyOf(data: string | Uint8Array): string | Uint8Array {
  return typeof data === "string" ? data : new Uint8Array(data);
}
