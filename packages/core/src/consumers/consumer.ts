import type { Connection, MaybePromise, Scope, SendEvent } from "../app.js";
import type { Renewed } from "../auth/authenticated.js";
import { checkScopes, hasScopes, insufficientScope, type ScopeNames } from "../auth/scopes.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { Refusal } from "../auth/verdict.js";
import { ConfigurationError } from "../errors.js";
import type { Channel, ChannelLayer } from "../ports/channel-layer.js";
import type { Grant } from "../ports/token-verifier.js";
import type { ConsumerLayer } from "./layer-events.js";

const noGroups: readonly string[] = [];

/** What a consumer is made with: its connection. Hand it to `super` if you write a constructor. */
export interface ConsumerContext<P extends Connection, Needs extends object = {}> {
  /** Another one after a renewal. */
  readonly scope: Scope<P> & Needs;
  /** Undefined if the application was made without one. */
  readonly layer: ChannelLayer | undefined;
  /** Undefined before `connect()` and `handle()`, and for a consumer without groups and handlers. */
  readonly channel: Channel | undefined;
  /** Sends an event to the client. Once the connection has ended, from either side, it does nothing. */
  emit(event: SendEvent<P>): MaybePromise<void>;
  /** Renews the credential of the connection, and leaves the groups that are not `allowed` any more. */
  renew(token: string, allowed: (group: string) => boolean): Promise<Renewed>;
}

/**
 * The part that consumers of all protocols have in common: a scope, a place in a channel layer, and a life of one
 * connection. Extend one of its subclasses.
 */
export abstract class Consumer<P extends Connection, Needs extends object = {}, Events extends object = {}> {
  /** Never set: it lets `asApp` infer what the class was declared with. */
  declare readonly "~types"?: { readonly protocol: P; readonly needs: Needs; readonly events: Events };
  /** Joined before the first method is called, and left when the connection has ended, whatever ended it. */
  readonly groups: readonly string[] = noGroups;
  readonly #context: ConsumerContext<P, Needs>;

  constructor(context: ConsumerContext<P, Needs>) {
    this.#context = context;
  }

  /** There before the fields of subclasses are, so that these may use it. After a renewal it has the new user and grant. */
  get scope(): Scope<P> & Needs {
    return this.#context.scope;
  }

  /** The layer that `asApp` was given. */
  protected get channelLayer(): ConsumerLayer<Events> {
    const { layer } = this.#context;
    if (layer === undefined) throw new ConfigurationError(`expected asApp(${this.constructor.name}, { layer })`);
    // The layer carries any message; `Events` says which of them this consumer means to send.
    return layer as ConsumerLayer<object> as ConsumerLayer<Events>;
  }

  /** Where messages for this one connection go. */
  protected get channelName(): string {
    const { channel } = this.#context;
    if (channel === undefined) {
      throw new ConfigurationError(
        `expected ${this.constructor.name} to have groups or static handlers before its channelName is used, and that not in its constructor`,
      );
    }
    return channel.name;
  }

  /**
   * The user, by the type that the class declares for those who are known. Throws a `Refusal` where nobody is, which a
   * method may let pass: a request is answered with 401, and of a WebSocket `refused` tells its client.
   */
  protected requireUser<Who extends User>(this: { readonly scope: { readonly user: Who | AnonymousUser } }): Who {
    const { user } = this.scope;
    if (!user.isAuthenticated) throw new Refusal("missing");
    return user;
  }

  /**
   * The grant, which is good for all of these scopes (RFC 6749 3.3). Throws a `Refusal` as {@link requireUser} does; with
   * 403 for want of a scope.
   */
  protected requireScope<Given extends Grant>(
    this: { readonly scope: { readonly grant: Given | undefined } },
    ...names: ScopeNames
  ): Given {
    const { grant } = this.scope;
    if (grant === undefined) throw new Refusal("missing");
    if (hasScopes(grant, names)) return grant;
    // Of a name that no token can have, nobody would hear otherwise.
    checkScopes(names);
    throw insufficientScope(names);
  }

  /** Sends an event of the protocol as it is, for what the other methods do not cover. */
  protected emit(event: SendEvent<P>): MaybePromise<void> {
    return this.#context.emit(event);
  }
}
