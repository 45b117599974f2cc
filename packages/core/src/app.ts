/**
 * The contract: what an application is. Everything else in Sluice either is an {@link App}, makes one or calls one.
 *
 * The shape is ASGI's triple of scope, receive and send (https://asgi.readthedocs.io/en/latest/specs/main.html).
 */
import type { Protocols } from "./events.js";

/** The protocols an application can be called with: `"http"`, `"websocket"`, `"channel"`, `"lifespan"`. */
export type Protocol = keyof Protocols;

/** The protocols that carry a client's connection, as opposed to the server's own lifespan. */
export type Connection = "http" | "websocket";

export type Scope<P extends Protocol = Protocol> = Protocols[P]["scope"];
export type ReceiveEvent<P extends Protocol = Protocol> = Protocols[P]["receive"];
export type SendEvent<P extends Protocol = Protocol> = Protocols[P]["send"];

/** A value now or a promise of it: what is ready at once costs no promise. */
export type MaybePromise<Value> = Value | Promise<Value>;

/**
 * Where an application gets its events, in order. Use one of the two ways for a connection, not both at a time.
 */
export interface Receive<P extends Protocol> {
  /**
   * Pulls one event. Suits dialogues: "accept, then wait for the first message".
   * Rejects with `ClientDisconnected` once the disconnect event has been handed out.
   */
  (): Promise<ReceiveEvent<P>>;

  /**
   * Pushes every event into `sink` until the connection has ended, with no promise per event.
   * A sink that returns a promise gets the next event only when that has settled. Resolves after the disconnect event
   * was handled; rejects with what `sink` throws.
   */
  pipe(sink: (event: ReceiveEvent<P>) => MaybePromise<void>): Promise<void>;
}

/**
 * Sends one event to the client. Returns a promise only under back-pressure: await it, or memory grows with a slow
 * client. Throws `ProtocolError` for an event out of order and `ClientDisconnected` once the client is gone.
 */
export type Send<P extends Protocol> = SendMethod<P>["send"] & { readonly "~protocol"?: never };

/**
 * An application for several protocols must stand where one for a single protocol is called. For that the event has to
 * be bivariant: only a method's parameter is, and only outside a plain callback type, hence the member that is never set.
 * Nothing is lost by it, as the scope still has to fit.
 */
interface SendMethod<P extends Protocol> {
  send(event: SendEvent<P>): MaybePromise<void>;
}

/**
 * An application: called once per connection, done when it returns.
 *
 * `Needs` names what the scope must carry beyond the protocol's own fields, such as `{ user: User }`. Middleware that
 * adds it makes the application fit a place that does not offer it.
 */
export type App<P extends Protocol = Protocol, Needs extends object = {}> = (
  scope: Scope<P> & Needs,
  receive: Receive<P>,
  send: Send<P>,
) => MaybePromise<void>;
