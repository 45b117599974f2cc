import { FakeClock, HttpCommunicator, RecordingLogger, WebsocketCommunicator } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import type { App, Connection, Scope } from "../app.js";
import { type AnonymousUser, anonymousUser, type User } from "../auth/user.js";
import { asApp } from "../consumers/as-app.js";
import { JsonWebsocketConsumer } from "../consumers/json-websocket-consumer.js";
import type { LayerEvent } from "../consumers/layer-events.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { path } from "../routing/path.js";
import { URLRouter } from "../routing/url-router.js";
import type { PresenceEvents, Present } from "./member.js";
import { type Presence, type PresenceOptions, presence } from "./presence.js";

class Watcher extends JsonWebsocketConsumer<Present, PresenceEvents> {
  static readonly handlers = ["presence.join", "presence.leave"] as const;
  override readonly groups = [this.scope.presence.events];

  override receiveJson(): void {
    throw new Error("as asked");
  }
  presenceJoin({ group, member }: LayerEvent<PresenceEvents, "presence.join">) {
    return this.sendJson(`${member.username} joins ${group}, ${this.names()}`);
  }
  presenceLeave({ group, member }: LayerEvent<PresenceEvents, "presence.leave">) {
    return this.sendJson(`${member.username} leaves ${group}, ${this.names()}`);
  }
  names(): string {
    const names = this.scope.presence.members().map(({ username }) => username);
    return `${this.scope.presence.count()} there: ${names.join(" ")}`.trim();
  }
}

function userOf(username: string): User {
  return { isAuthenticated: true, id: `id-${username}`, username };
}
const [ada, bob, cyd] = [userOf("ada"), userOf("bob"), userOf("cyd")];

interface World {
  readonly clock: FakeClock;
  readonly layer: InMemoryChannelLayer;
  readonly here: Presence;
  readonly log: RecordingLogger;
  /** A client that has connected and sees everything there is to see. */
  connect(user: User | AnonymousUser): Promise<WebsocketCommunicator<object>>;
}

function world(options: PresenceOptions = {}): World {
  const clock = new FakeClock();
  const layer = new InMemoryChannelLayer({ clock });
  const log = new RecordingLogger();
  const here = presence(layer, { clock, logger: log, ...options });
  const app = here.in("lobby")(asApp(Watcher, { layer }));
  const connect = async (user: User | AnonymousUser) => {
    const client = new WebsocketCommunicator(app, "/", { scope: { user }, clock });
    await client.connect();
    return client;
  };
  return { clock, layer, here, log, connect };
}

function names(here: Presence, group = "lobby"): string[] {
  return here.members(group).map(({ username }) => username);
}

describe("a user", () => {
  test("is a member from the moment of the accept, and tells everybody, oneself included", async () => {
    const { clock, here, connect } = world();
    const watching = await connect(ada);
    expect(await watching.receiveJsonFrom()).toBe("ada joins lobby, 1 there: ada");
    await clock.advance(10);
    await connect(bob);
    expect(await watching.receiveJsonFrom()).toBe("bob joins lobby, 2 there: ada bob");
    expect(here.members("lobby")).toEqual([
      { id: "id-ada", username: "ada", since: clock.now() - 10, info: {} },
      { id: "id-bob", username: "bob", since: clock.now(), info: {} },
    ]);
    expect(here.count("lobby")).toBe(2);
    expect(here.members("elsewhere")).toEqual([]);
    expect(here.count("elsewhere")).toBe(0);
  });

  test("leaves when the last of several connections has been gone for the grace time", async () => {
    const { clock, here, connect } = world();
    const watching = await connect(ada);
    await watching.receiveJsonFrom();
    const [first, second] = [await connect(bob), await connect(bob)];
    expect(await watching.receiveJsonFrom()).toBe("bob joins lobby, 2 there: ada bob");
    await first.disconnect();
    await clock.advance(10_000);
    await second.disconnect();
    await clock.advance(4_999);
    expect(names(here)).toEqual(["ada", "bob"]);
    expect(await watching.receiveNothing()).toBe(true);
    await clock.advance(1);
    expect(await watching.receiveJsonFrom()).toBe("bob leaves lobby, 1 there: ada");
    expect(names(here)).toEqual(["ada"]);
  });

  test("who comes back within the grace time has never been away", async () => {
    const { clock, here, connect } = world({ grace: 1_000 });
    const watching = await connect(ada);
    await watching.receiveJsonFrom();
    let client = await connect(bob);
    await watching.receiveJsonFrom();
    const since = clock.now();
    for (let reload = 0; reload < 3; reload++) {
      await client.disconnect();
      await clock.advance(999);
      client = await connect(bob);
    }
    await clock.advance(5_000);
    expect(await watching.receiveNothing()).toBe(true);
    expect(here.members("lobby").map((member) => member.since)).toEqual([since, since]);
  });

  test("who comes back later joins anew", async () => {
    const { clock, here, connect } = world();
    const watching = await connect(ada);
    await watching.receiveJsonFrom();
    await (await connect(bob)).disconnect();
    await clock.advance(5_000);
    await connect(bob);
    const told = [1, 2, 3].map(() => watching.receiveJsonFrom());
    expect(await Promise.all(told)).toEqual([
      "bob joins lobby, 2 there: ada bob",
      "bob leaves lobby, 1 there: ada",
      "bob joins lobby, 2 there: ada bob",
    ]);
    expect(here.members("lobby")[1]).toMatchObject({ since: clock.now() });
  });

  test("has left at once without a grace time", async () => {
    const { clock, here, connect } = world({ grace: 0 });
    await (await connect(bob)).disconnect();
    await clock.advance(0);
    expect(here.count("lobby")).toBe(0);
  });

  test("leaves when the application fails", async () => {
    const { clock, here, connect } = world();
    const client = await connect(bob);
    await client.receiveJsonFrom();
    client.sendJsonTo("fail");
    expect(await client.receiveClose()).toMatchObject({ code: 1011 });
    await clock.advance(5_000);
    expect(names(here)).toEqual([]);
    await expect(client.disconnect()).rejects.toThrow("as asked");
  });

  test("who is refused never joins", async () => {
    const { clock, layer, here, connect } = world();
    class Closed extends Watcher {
      override connect() {
        return this.close();
      }
    }
    const watching = await connect(ada);
    await watching.receiveJsonFrom();
    const app = here.in("lobby")(asApp(Closed, { layer }));
    const client = new WebsocketCommunicator(app, "/", { scope: { user: bob }, clock });
    expect(await client.connect()).toMatchObject({ connected: false, status: 403 });
    expect(names(here)).toEqual(["ada"]);
    await clock.advance(10_000);
    expect(await watching.receiveNothing()).toBe(true);
  });

  test("without a name is no member, but may look", async () => {
    const { here, connect } = world();
    const watching = await connect(anonymousUser);
    expect(names(here)).toEqual([]);
    await connect(ada);
    expect(await watching.receiveJsonFrom()).toBe("ada joins lobby, 1 there: ada");
    await watching.disconnect();
    expect(names(here)).toEqual(["ada"]);
  });

  test("is in the group that the scope names, whatever its letters", async () => {
    const { layer, clock, here } = world();
    const app = here.in(
      (scope: Scope<Connection> & { urlRoute: { kwargs: { room: string } } }) => `Raum ${scope.urlRoute.kwargs.room}`,
    )(asApp(Watcher, { layer }));
    const routed = URLRouter([path("<room>/", app)]);
    const client = new WebsocketCommunicator(routed, "/gr%C3%BCn/", { scope: { user: ada }, clock });
    await client.connect();
    expect(await client.receiveJsonFrom()).toBe("ada joins Raum grün, 1 there: ada");
    expect(names(here, "Raum grün")).toEqual(["ada"]);
    await client.disconnect();
  });

  test("listening to a response is a member from its start to its end", async () => {
    const { clock, here } = world({ grace: 0 });
    let end = (): void => {};
    const app: App<"http", { user: User | AnonymousUser }> = here.in("lobby")(async (_scope, _receive, send) => {
      expect(names(here)).toEqual([]);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "data: 1\n\n", moreBody: true });
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      await send({ type: "http.response.body" });
    });
    const client = new HttpCommunicator(app, "GET", "/", { scope: { user: ada } });
    const response = client.getResponse();
    await clock.advance(0);
    expect(names(here)).toEqual(["ada"]);
    end();
    expect((await response).status).toBe(200);
    await clock.advance(0);
    expect(names(here)).toEqual([]);
  });
});

describe("the application", () => {
  const receive = Object.assign(() => Promise.reject(new Error("no events")), { pipe: () => Promise.resolve() });
  type ForUser = App<"websocket", { user: User | AnonymousUser }>;
  const scope = (user: User) =>
    ({ type: "websocket", path: "/", user }) as unknown as Parameters<ForUser>[0] & { user: User };

  test("counts once, and not any more after its end, whatever it sends", async () => {
    const { clock, here } = world({ grace: 0 });
    let late = (): void => {};
    const app: ForUser = here.in("lobby")((_scope, _receive, send) => {
      void send({ type: "websocket.accept" });
      void send({ type: "websocket.accept" });
      expect(names(here)).toEqual(["ada"]);
      late = () => void send({ type: "websocket.accept" });
    });
    await app(scope(ada), receive, () => {});
    late();
    await clock.advance(0);
    expect(names(here)).toEqual([]);
    const hasty: ForUser = here.in("lobby")((_scope, _receive, send) => {
      late = () => void send({ type: "websocket.accept" });
    });
    await hasty(scope(ada), receive, () => {});
    late();
    expect(names(here)).toEqual([]);
  });

  test("whose accept fails has not brought anybody", async () => {
    const { here } = world();
    const app: ForUser = here.in("lobby")((_scope, _receive, send) => send({ type: "websocket.accept" }));
    const failing = (): void => {
      throw new Error("gone");
    };
    await expect(app(scope(ada), receive, failing)).rejects.toThrow("gone");
    expect(names(here)).toEqual([]);
  });

  test("describes its users, once per connection and before it runs", async () => {
    const { layer, clock } = world();
    const here = presence(layer, {
      clock,
      describe: (user: User & { plan?: unknown }, { path }) => ({ plan: user.plan, path }),
    });
    let ran = 0;
    const app: App<"websocket", { user: User }> = here.in("lobby")((_scope, _receive, send) => {
      ran++;
      return Promise.resolve(send({ type: "websocket.accept" })).then(() => {
        expect(here.members("lobby").map(({ info }) => info)).toEqual([{ plan: "free", path: "/" }]);
        expect(Object.isFrozen(here.members("lobby")[0]?.info)).toBe(true);
      });
    });
    await app(scope({ ...ada, plan: "free" } as User), receive, () => {});
    await expect(app(scope({ ...ada, plan: 1n } as User), receive, () => {})).rejects.toThrow(
      'expected plain data that JSON can carry in "message.info.plan", got bigint',
    );
    expect(ran).toBe(1);
  });
});

describe("presence", () => {
  test("stands in a stable order: by the time of coming, then by id", async () => {
    const { clock, here, connect } = world();
    for (const user of [cyd, bob]) await connect(user);
    await clock.advance(1);
    await connect(ada);
    expect(names(here)).toEqual(["bob", "cyd", "ada"]);
    expect(Object.isFrozen(here.members("lobby"))).toBe(true);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])("takes no grace of %s", (grace) => {
    expect(() => presence(new InMemoryChannelLayer(), { grace })).toThrow(
      "expected grace to be from 0 to 2147483647 ms",
    );
  });

  test("opens nothing before its first use, and gives everything back", async () => {
    for (const use of [
      (here: Presence) => void here.members("lobby"),
      (here: Presence) => void here.count("lobby"),
      (here: Presence) => here.in("lobby")(() => {})({ user: ada } as never, undefined as never, () => {}),
    ]) {
      const { clock, layer, here } = world();
      here.in("lobby");
      await clock.advance(10_000);
      expect(clock.pending).toBe(0);
      expect(layer.counts).toEqual({ channels: 0, groups: 0 });
      await use(here);
      await clock.advance(0);
      expect(layer.counts).toEqual({ channels: 1, groups: 1 });
      await here.close();
      await here.close();
      expect(clock.pending).toBe(0);
      expect(layer.counts).toEqual({ channels: 0, groups: 0 });
      await use(here);
      await clock.advance(10_000);
      expect(layer.counts).toEqual({ channels: 0, groups: 0 });
    }
  });

  test("may be closed unused, while it opens, and with clients connected", async () => {
    const { clock, layer, here } = world();
    await here.close();
    expect(here.members("lobby")).toEqual([]);
    const opening = world();
    opening.here.count("lobby");
    await opening.here.close();
    await opening.clock.advance(10_000);
    expect([layer.counts.channels, opening.layer.counts.channels]).toEqual([0, 0]);
    expect([clock.pending, opening.clock.pending]).toEqual([0, 0]);
    const used = world();
    const [stays, leaves] = [await used.connect(ada), await used.connect(bob)];
    await leaves.disconnect();
    await used.here.close();
    expect(names(used.here)).toEqual([]);
    await used.connect(cyd);
    await stays.disconnect();
    await used.clock.advance(10_000);
    expect(names(used.here)).toEqual([]);
  });

  test("tells nobody of what nobody looks at", async () => {
    const { clock, layer, connect } = world();
    const sent: string[] = [];
    const inner = layer.groupSend.bind(layer);
    layer.groupSend = (group, message) => {
      sent.push(message.type);
      return inner(group, message);
    };
    const watching = await connect(anonymousUser);
    await (await connect(ada)).disconnect();
    await watching.disconnect();
    await clock.advance(20_000);
    expect(sent).toContain("presence.join");
    expect(sent).toContain("presence.exit");
    expect(sent).not.toContain("presence.leave");
  });

  test("does not open a second channel while the layer takes its time", async () => {
    const { clock, layer, here, log } = world();
    let opened = 0;
    layer.open = () => {
      opened++;
      return new Promise(() => {});
    };
    here.count("lobby");
    await clock.advance(60_000);
    expect(opened).toBe(1);
    expect(log.lines).toEqual([]);
    await here.close();
  });

  test("keeps nothing of groups that are empty", async () => {
    const { clock, layer, here } = world({ grace: 100 });
    const app = (group: string) => here.in(group)(asApp(Watcher, { layer }));
    for (let room = 0; room < 10; room++) {
      const client = new WebsocketCommunicator(app(`room ${room}`), "/", { scope: { user: ada } });
      await client.connect();
      await client.disconnect();
    }
    await clock.advance(100);
    expect(clock.pending).toBe(1);
    expect(layer.counts).toEqual({ channels: 1, groups: 1 });
  });
});
