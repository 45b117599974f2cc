import type { App, Connection, Scope } from "../app.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { ConfigurationError } from "../errors.js";
import type { Middleware } from "../middleware.js";
import type { ChannelLayer } from "../ports/channel-layer.js";
import { type Clock, longestTimer, systemClock } from "../ports/clock.js";
import { type Logger, silentLogger } from "../ports/logger.js";
import { steadyLogger } from "../ports/steady-logger.js";
import { attending } from "./attending.js";
import type { Member, Present } from "./member.js";
import { Tracker } from "./tracker.js";

export interface PresenceOptions<Who extends User = User, Info extends object = {}> {
  /**
   * What others are to know of a user besides `id` and `username`: plain data that JSON can carry. Asked once per
   * connection, before the application runs; what it throws ends the connection. Of several connections of a user, the
   * one that came first counts.
   */
  readonly describe?: ((user: Who, scope: Scope<Connection>) => Info) | undefined;
  /** Milliseconds in which a user may come back without having left, as by a reload: 5,000 if left out. */
  readonly grace?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Told when the other processes cannot be reached, once per outage, and when one of them has died. */
  readonly logger?: Logger | undefined;
}

/** Who is here. Made by {@link presence}. */
export interface Presence<Who extends User = User, Info extends object = {}> {
  /**
   * Middleware: the connection's user is in `group` from the moment the WebSocket is accepted, or the response to a
   * request is started, until the application has returned or thrown. An anonymous one is not, but may look:
   * `scope.presence` tells who is here. Stands inside of `TokenAuth`.
   *
   * @example
   * here.in((scope: Scope<Connection> & Routed<{ room: string }>) => `room.${scope.urlRoute.kwargs.room}`)(chat)
   */
  in<Needs extends object = {}>(
    group: string | ((scope: Scope<Connection> & Needs) => string),
  ): Middleware<Needs & { readonly user: Who | AnonymousUser }, Present<Info>>;
  /**
   * The users in `group`, whatever process they are connected to: one entry each, by the time they came. Never throws and
   * never waits: right after the start, and while the layer cannot be reached, it is what this process knows.
   */
  members(group: string): readonly Member<Info>[];
  /** How many users are in `group`. */
  count(group: string): number;
  /** Tells the other processes that the users of this one are gone. Nobody is here afterwards. Never rejects. */
  close(): Promise<void>;
}

/**
 * Keeps account of who is here, in all processes that share `layer`. Make one per layer: two would count together.
 *
 * A user is one member however many connections there are. Consumers that join `scope.presence.events` are told by
 * `presence.join` at once, and by `presence.leave` when the last connection has been gone for the grace time; see
 * {@link PresenceEvents}. As all messages of a layer, these can be lost: whoever cannot have that lists `layer.gap` in its
 * handlers, and reads `members()` again after one.
 *
 * The users of a process that dies are gone 6 to 8 seconds and the grace time later. A process that cannot reach the
 * layer keeps what it knows of the others. Nothing is opened on the layer before the first use.
 *
 * Throws `ConfigurationError` for a grace time that no timer can wait.
 *
 * @example
 * const here = presence(layer, { describe: (user: Account) => ({ avatar: user.avatar }) });
 *
 * class Chat extends JsonWebsocketConsumer<Authenticated<Account> & Present<{ avatar: string }>, ChatEvents> {
 *   static readonly handlers = ["presence.join", "presence.leave"] as const;
 *   override readonly groups = [this.scope.presence.events];
 *
 *   override async connect() {
 *     await this.accept();
 *     await this.sendJson({ here: this.scope.presence.members() });
 *   }
 *   presenceJoin(event: LayerEvent<ChatEvents, "presence.join">) {
 *     return this.sendJson({ joined: event.member });
 *   }
 *   presenceLeave(event: LayerEvent<ChatEvents, "presence.leave">) {
 *     return this.sendJson({ left: event.member.id });
 *   }
 * }
 *
 * const chat = TokenAuth(here.in("lobby")(asApp(Chat, { layer })), { verifier, from, onAnonymous: "deny" });
 */
export function presence<Who extends User = User, Info extends object = {}>(
  layer: ChannelLayer,
  options: PresenceOptions<Who, Info> = {},
): Presence<Who, Info> {
  const { grace = 5_000, clock = systemClock, logger = silentLogger, describe } = options;
  if (!(grace >= 0 && grace <= longestTimer)) {
    throw new ConfigurationError(`expected grace to be from 0 to ${longestTimer} ms, got ${grace}`);
  }
  const tracker = new Tracker(layer, { grace, clock, logger: steadyLogger(logger) });
  // What is known of users and scopes by their types is known because the middleware's type asks for it.
  const describeUser = (user: User, scope: Scope<Connection>): object => describe?.(user as Who, scope) ?? {};
  return {
    in: <Needs extends object>(group: string | ((scope: Scope<Connection> & Needs) => string)) => {
      const groupOf = (scope: Scope<Connection>): string =>
        typeof group === "string" ? group : group(scope as Scope<Connection> & Needs);
      const wrap = (inner: App<Connection, { readonly user: User | AnonymousUser } & Present>): App<Connection> =>
        attending(inner, { tracker, groupOf, describe: describeUser }) as App<Connection>;
      return wrap as Middleware<Needs & { readonly user: Who | AnonymousUser }, Present<Info>>;
    },
    members: (group) => tracker.members(group) as readonly Member<Info>[],
    count: (group) => tracker.count(group),
    close: () => tracker.close(),
  };
}
