import type { App, Connection, Scope } from "../app.js";
import type { AnonymousUser, User } from "../auth/user.js";
import { plainMessage } from "../layers/plain-message.js";
import { claiming, claimOf } from "../routing/claim.js";
import { growScope } from "../scope.js";
import type { Present } from "./member.js";
import type { Tracker, Visitor } from "./tracker.js";

interface WithUser {
  readonly user: User | AnonymousUser;
}

export interface AttendingOptions {
  readonly tracker: Tracker;
  groupOf(scope: Scope<Connection>): string;
  describe(user: User, scope: Scope<Connection>): object;
}

/** A client is connected from here on: before it, it may still be refused. */
const accepting: ReadonlySet<string> = new Set(["websocket.accept", "http.response.start"]);

/** The application, with the users of its connections marked as present in a group while it runs. */
export function attending(
  inner: App<Connection, WithUser & Present>,
  { tracker, groupOf, describe }: AttendingOptions,
): App<Connection, WithUser> {
  const app: App<Connection, WithUser> = async (scope, receive, send) => {
    const group = groupOf(scope);
    const { user } = scope;
    const visit = user.isAuthenticated ? new Visit(tracker, group, visitorOf(user, describe(user, scope))) : undefined;
    const presence: Present["presence"] = {
      events: tracker.watch(group),
      members: () => tracker.members(group),
      count: () => tracker.count(group),
    };
    try {
      await inner(growScope(scope, { presence }), receive, (event) => {
        const sent = send(event);
        if (accepting.has(event.type)) visit?.begin();
        return sent;
      });
    } finally {
      visit?.end();
      tracker.unwatch(group);
    }
  };
  return claiming(app, claimOf(inner));
}

/** The user of one connection, who is there once, from the first `begin` to `end`: what is sent after it says nothing. */
class Visit {
  readonly #tracker: Tracker;
  readonly #group: string;
  readonly #visitor: Visitor;
  #state: "before" | "here" | "over" = "before";

  constructor(tracker: Tracker, group: string, visitor: Visitor) {
    this.#tracker = tracker;
    this.#group = group;
    this.#visitor = visitor;
  }

  begin(): void {
    if (this.#state !== "before") return;
    this.#state = "here";
    this.#tracker.enter(this.#group, this.#visitor);
  }

  end(): void {
    if (this.#state === "here") this.#tracker.exit(this.#group, this.#visitor.id);
    this.#state = "over";
  }
}

/** Throws a `TypeError` for information that JSON cannot carry, and so before the client is answered. */
function visitorOf({ id, username }: User, info: object): Visitor {
  const plain = plainMessage({ type: "presence.info", info }) as unknown as { readonly info: object };
  return { id, username, info: plain.info };
}
