import { FakeClock, MemoryBrokerServer, RecordingLogger } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scope, Send } from "../app.js";
import { type AnonymousUser, anonymousUser, type User } from "../auth/user.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import type { Broker } from "../ports/broker.js";
import type { ChannelLayer, LayerMessage } from "../ports/channel-layer.js";
import type { Member, Present } from "./member.js";
import { type Presence, presence } from "./presence.js";

type WithUser = Scope<"websocket"> & { readonly user: User | AnonymousUser };
const receive = Object.assign(() => Promise.reject(new Error("no events")), { pipe: () => Promise.resolve() });

/** One process, with a connection that looks at the lobby all the time. */
class Process {
  readonly log = new RecordingLogger();
  readonly layer: BrokeredChannelLayer;
  readonly here: Presence;
  /** What consumers of this process were told. */
  readonly told: string[] = [];
  /** Says of a message from the broker that it gets lost. */
  lost: (payload: string) => boolean = () => false;
  /** What this process has published, payload by payload. */
  readonly published: string[] = [];
  readonly #wire: Broker & { lose(): void; gain(): void };

  constructor(server: MemoryBrokerServer, clock: FakeClock) {
    const wire = server.broker() as Broker & { lose(): void; gain(): void };
    this.#wire = wire;
    const broker: Broker = {
      connect: (listener) =>
        wire.connect({
          message: (topic, payload) => {
            if (!this.lost(payload)) listener.message(topic, payload);
          },
          connected: () => listener.connected(),
          disconnected: (cause, since) => listener.disconnected(cause, since),
        }),
      publish: (topic, payload) => {
        this.published.push(payload);
        return wire.publish(topic, payload);
      },
      subscribe: (topic) => wire.subscribe(topic),
      unsubscribe: (topic) => wire.unsubscribe(topic),
      push: (queue, payload, limits) => wire.push(queue, payload, limits),
      pop: (queue) => wire.pop(queue),
      flush: () => wire.flush(),
      close: () => wire.close(),
    };
    this.layer = new BrokeredChannelLayer(broker, { clock });
    this.here = presence(this.layer, { clock, logger: this.log });
    // Where the layer cannot be reached nobody listens.
    this.visit(anonymousUser, (events) => this.#listen(events).catch(() => {}));
  }

  get names(): string[] {
    return this.here.members("lobby").map(({ username }) => username);
  }

  /** A connection. Returns how it ends. */
  visit(user: User | AnonymousUser, look: (events: string) => Promise<void> = async () => {}): () => void {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const app = this.here.in("lobby")(
      async (scope: Scope<"websocket"> & Present, _receive: unknown, send: Send<"websocket">) => {
        void send({ type: "websocket.accept" });
        await look(scope.presence.events);
        await left;
      },
    );
    void app({ type: "websocket", path: "/", user } as unknown as WithUser, receive, () => {});
    return leave;
  }

  cut(): void {
    this.#wire.lose();
  }

  mend(): void {
    this.#wire.gain();
  }

  /** As the system ends a process: without a word. */
  kill(): Promise<void> {
    return this.layer.close();
  }

  warnings(): string[] {
    return this.log.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  }

  async #listen(events: string): Promise<void> {
    const channel = await this.layer.open();
    await this.layer.groupAdd(events, channel.name);
    await channel.pipe((message) => {
      const { username } = message.member as Member;
      this.told.push(`${message.type === "presence.join" ? "+" : "-"}${username}`);
    });
  }
}

function userOf(username: string): User {
  return { isAuthenticated: true, id: username, username };
}
const [ada, bob, cyd] = [userOf("ada"), userOf("bob"), userOf("cyd")];
const unreachable = "presence does not reach the other processes, and keeps what it knows";
const silent = "a process is silent, and its users are taken to have gone";

interface World {
  readonly clock: FakeClock;
  readonly server: MemoryBrokerServer;
  readonly processes: Process[];
  start(): Promise<Process>;
}

async function world(count: number): Promise<World> {
  const clock = new FakeClock();
  const server = new MemoryBrokerServer(() => clock.now());
  const processes: Process[] = [];
  const start = async () => {
    const process = new Process(server, clock);
    processes.push(process);
    await clock.advance(0);
    return process;
  };
  for (let started = 0; started < count; started++) await start();
  return { clock, server, processes, start };
}

async function two(): Promise<World & { left: Process; right: Process }> {
  const pair = await world(2);
  const [left, right] = pair.processes as [Process, Process];
  return { ...pair, left, right };
}

/** Sends what it likes to whom it likes, as every process with the layer can. */
async function stranger(server: MemoryBrokerServer, clock: FakeClock): Promise<ChannelLayer> {
  const layer = new BrokeredChannelLayer(server.broker(), { clock });
  await layer.ready();
  return layer;
}

describe("several processes", () => {
  test("know of each other's users at once, and tell of each once", async () => {
    const { clock, processes, start } = await world(3);
    const [first, second, third] = processes as [Process, Process, Process];
    const leave = first.visit(ada);
    await clock.advance(1);
    second.visit(bob);
    const leaveToo = third.visit(ada);
    await clock.advance(1);
    const late = await start();
    for (const { here, names, told } of [first, second, third, late]) {
      expect(names).toEqual(["ada", "bob"]);
      expect(told).toEqual(["+ada", "+bob"]);
      expect(here.members("lobby")).toEqual(first.here.members("lobby"));
    }
    leave();
    await clock.advance(20_000);
    for (const { here, names } of processes) {
      expect(names).toEqual(["ada", "bob"]);
      expect(here.members("lobby")).toEqual(first.here.members("lobby"));
    }
    leaveToo();
    await clock.advance(4_999);
    for (const { names } of processes) expect(names).toEqual(["ada", "bob"]);
    await clock.advance(1);
    for (const { names, told, log } of processes) {
      expect(names).toEqual(["bob"]);
      expect(told).toEqual(["+ada", "+bob", "-ada"]);
      expect(log.lines).toEqual([]);
    }
  });

  test("do not notice a reload, on whatever process", async () => {
    const { clock, left, right, processes } = await two();
    const leave = left.visit(ada);
    await clock.advance(60_000);
    leave();
    await clock.advance(4_000);
    right.visit(ada);
    await clock.advance(60_000);
    for (const { told, here } of processes) {
      expect(told).toEqual(["+ada"]);
      expect(here.members("lobby")).toMatchObject([{ since: clock.now() - 124_000 }]);
    }
  });

  test("agree on a user that comes to two at once", async () => {
    const { clock, left, right, processes } = await two();
    const leaves = [left.visit(ada), right.visit(ada)];
    await clock.advance(0);
    expect(left.here.members("lobby")).toEqual(right.here.members("lobby"));
    for (const leave of leaves) leave();
    await clock.advance(5_000);
    for (const { told } of processes) expect(told).toEqual(["+ada", "-ada"]);
  });

  test("believe the process that a user came to first", async () => {
    const { clock, left, right } = await two();
    for (const process of [left, right]) process.cut();
    await clock.advance(0);
    left.visit({ ...ada, username: "young ada" });
    await clock.advance(100);
    const leave = right.visit({ ...ada, username: "old ada" });
    for (const process of [left, right]) process.mend();
    await clock.advance(6_000);
    expect([left.names, right.names]).toEqual([["young ada"], ["young ada"]]);
    leave();
    await clock.advance(6_000);
    expect([left.names, right.names]).toEqual([["young ada"], ["young ada"]]);
  });

  test("hand over a state of any size, in pieces", async () => {
    const { clock, left, start } = await world(1).then((one) => ({ ...one, left: one.processes[0] as Process }));
    for (let each = 0; each < 250; each++) left.visit(userOf(`user ${each}`));
    await clock.advance(0);
    const late = await start();
    expect(late.here.count("lobby")).toBe(250);
    expect(left.published.filter((payload) => payload.includes('"presence.state"'))).toHaveLength(3);
  });
});

describe("a process that is killed", () => {
  test("is gone within 15 s, with its users, once", async () => {
    for (const phase of [0, 500, 1_999]) {
      const { clock, left, start } = await world(1).then((one) => ({ ...one, left: one.processes[0] as Process }));
      await clock.advance(phase);
      const right = await start();
      for (const user of [ada, bob]) right.visit(user);
      left.visit(bob);
      await clock.advance(10_000);
      await right.kill();
      await clock.advance(10_000);
      expect(left.names).toEqual(["ada", "bob"]);
      await clock.advance(5_000);
      expect(left.names).toEqual(["bob"]);
      expect(left.warnings()).toEqual([silent]);
      await clock.advance(60_000);
      expect([...left.told].sort()).toEqual(["+ada", "+bob", "-ada"]);
    }
  });

  test("is not missed by who reconnects elsewhere", async () => {
    const { clock, left, right } = await two();
    right.visit(ada);
    await clock.advance(1_000);
    await right.kill();
    await clock.advance(3_000);
    left.visit(ada);
    await clock.advance(60_000);
    expect(left.told).toEqual(["+ada"]);
  });

  test("says goodbye if it is closed, and its users have the grace time from then on", async () => {
    const { clock, left, right } = await two();
    for (const user of [ada, bob]) right.visit(user);
    await clock.advance(1_000);
    await right.here.close();
    left.visit(bob);
    await clock.advance(4_999);
    expect(left.names).toEqual(["ada", "bob"]);
    await clock.advance(1);
    expect(left.told).toEqual(["+ada", "+bob", "-ada"]);
    expect(left.warnings()).toEqual([]);
    expect(right.names).toEqual([]);
  });
});

test("a process that is closing does not listen any more", async () => {
  const { clock, left, right } = await two();
  const closing = left.here.close();
  right.visit(bob);
  await clock.advance(0);
  await closing;
  expect(left.names).toEqual([]);
});

test("a process may be closed at any moment of its start, and while it is cut off", async () => {
  for (let moment = 0; moment < 20; moment++) {
    const { clock, left } = await two();
    await left.here.close();
    const here = presence(left.layer, { clock, logger: left.log });
    here.count("lobby");
    for (let passed = 0; passed < moment; passed++) await Promise.resolve();
    if (moment % 2 === 1) left.cut();
    await here.close();
    await clock.advance(20_000);
    // The one that is left belongs to the test.
    expect(left.layer.counts.channels).toBe(1);
  }
});

describe("a process that is cut off", () => {
  test("keeps what it knows, and catches up", async () => {
    const { clock, left, right } = await two();
    const leave = left.visit(ada);
    await clock.advance(1);
    right.visit(bob);
    await clock.advance(1_000);
    left.cut();
    await clock.advance(60_000);
    expect(left.names).toEqual(["ada", "bob"]);
    expect(right.names).toEqual(["bob"]);
    leave();
    left.visit(cyd);
    right.visit(userOf("dan"));
    await clock.advance(1_000);
    left.mend();
    await clock.advance(0);
    expect(new Set(left.names)).toEqual(new Set(["ada", "bob", "cyd", "dan"]));
    await clock.advance(2_000);
    expect(new Set(right.names)).toEqual(new Set(["bob", "cyd", "dan"]));
    await clock.advance(60_000);
    expect(left.names.sort()).toEqual(["bob", "cyd", "dan"]);
    expect(right.told).toEqual(["+ada", "+bob", "-ada", "+dan", "+cyd"]);
    expect(left.warnings()).toEqual([unreachable]);
    expect(left.log.lines.map(({ message }) => message)).toContain("presence reaches the other processes again");
  });

  test("is one of all when the broker stops, and nobody leaves", async () => {
    const { clock, server, left, right, processes } = await two();
    left.visit(ada);
    await clock.advance(1);
    right.visit(bob);
    await clock.advance(1_000);
    for (let outage = 1; outage <= 2; outage++) {
      server.stop();
      await clock.advance(120_000);
      server.start();
      await clock.advance(10_000);
      for (const process of processes) {
        expect(process.names.sort()).toEqual(["ada", "bob"]);
        expect(process.told).toEqual(["+ada", "+bob"]);
        expect(process.warnings()).toHaveLength(outage);
      }
    }
    await right.kill();
    await clock.advance(15_000);
    expect(left.names).toEqual(["ada"]);
  });

  test("gives the others their time anew", async () => {
    const { clock, left, right } = await two();
    await clock.advance(1_000);
    await right.kill();
    await clock.advance(6_000);
    left.cut();
    left.mend();
    await clock.advance(6_000);
    expect(left.warnings()).not.toContain(silent);
    await clock.advance(2_000);
    expect(left.warnings()).toContain(silent);
  });

  test("is one that hears nothing, not even itself, though nobody says so", async () => {
    const { clock, left, right } = await two();
    left.visit(ada);
    await clock.advance(1);
    right.visit(bob);
    await clock.advance(1_000);
    left.lost = () => true;
    await clock.advance(60_000);
    expect(left.names.sort()).toEqual(["ada", "bob"]);
    expect(left.warnings()).toEqual([unreachable]);
    left.lost = () => false;
    await clock.advance(10_000);
    expect(left.told).toEqual(["+ada", "+bob"]);
    expect(right.told).toEqual(["+ada", "+bob"]);
  });

  test("takes nobody for dead whose beats come late and all at once, as its own do", async () => {
    const { clock, left, right } = await two();
    right.visit(bob);
    await clock.advance(1_000);
    const held: (() => void)[] = [];
    const inner = left.layer.groupSend.bind(left.layer);
    left.layer.groupSend = (group, message) => {
      if (message.type !== "presence.beat") return inner(group, message);
      return new Promise((resolve) => held.push(() => resolve(inner(group, message))));
    };
    await clock.advance(20_000);
    left.layer.groupSend = inner;
    for (const release of held) release();
    await clock.advance(4_000);
    expect(left.told).toEqual(["+bob"]);
    expect(left.warnings()).toEqual([unreachable]);
  });

  test("joins again when the layer has forgotten its groups", async () => {
    const { clock, left, right } = await two();
    left.visit(ada);
    await clock.advance(1_000);
    await left.layer.flush();
    await clock.advance(10_000);
    right.visit(bob);
    await clock.advance(0);
    expect([left.names, right.names].map((names) => names.sort())).toEqual([
      ["ada", "bob"],
      ["ada", "bob"],
    ]);
  });

  test("tries again to open what it could not, and tells of it once", async () => {
    const clock = new FakeClock();
    const server = new MemoryBrokerServer(() => clock.now());
    const process = new Process(server, clock);
    process.cut();
    process.visit(ada);
    // Two tries take place before the first has been given up.
    await clock.advance(20_000);
    expect(process.names).toEqual(["ada"]);
    expect(process.warnings()).toEqual([unreachable]);
    process.mend();
    await clock.advance(4_000);
    const other = new Process(server, clock);
    await clock.advance(0);
    expect(other.names).toEqual(["ada"]);
  });

  test("opens another channel when its own was closed", async () => {
    const { clock, left, right } = await two();
    const opened: { close(): Promise<void> }[] = [];
    const inner = left.layer.open.bind(left.layer);
    left.layer.open = async (options) => {
      const channel = await inner(options);
      opened.push(channel);
      return channel;
    };
    await left.here.close();
    const again = presence(left.layer, { clock, logger: left.log });
    again.count("lobby");
    await clock.advance(0);
    await opened[0]?.close();
    await clock.advance(2_000);
    right.visit(bob);
    await clock.advance(0);
    expect(again.members("lobby").map(({ username }) => username)).toEqual(["bob"]);
    expect(opened).toHaveLength(2);
    expect(left.warnings()).toEqual([unreachable]);
    await again.close();
  });
});

describe("a message that is lost", () => {
  test.each(["presence.enter", "presence.exit"])("is missed by the next beat: %s", async (type) => {
    const { clock, left, right } = await two();
    const leave = left.visit(ada);
    await clock.advance(500);
    right.lost = (payload) => payload.includes(type);
    left.visit(bob);
    leave();
    await clock.advance(0);
    right.lost = () => false;
    expect(new Set(right.names)).not.toEqual(new Set(left.names.concat(type === "presence.exit" ? "nobody" : "")));
    await clock.advance(2_000);
    expect(new Set(right.names)).toEqual(new Set(["ada", "bob"]));
    await clock.advance(5_000);
    expect([left.names, right.names]).toEqual([["bob"], ["bob"]]);
  });

  test("is missed by the next change, and asked for once", async () => {
    const { clock, left, right } = await two();
    right.lost = (payload) => payload.includes('"presence.enter"') && payload.includes('"ada"');
    for (const user of [ada, bob, cyd]) left.visit(user);
    await clock.advance(0);
    expect(right.names).toEqual(["ada", "bob", "cyd"]);
    // The first was at the start.
    const asks = () => right.published.filter((payload) => payload.includes('"presence.ask"')).length;
    expect(asks()).toBe(2);
    right.lost = (payload) => payload.includes('"presence.enter"') && payload.includes('"dan"');
    for (const name of ["dan", "eve"]) left.visit(userOf(name));
    await clock.advance(0);
    expect(asks()).toBe(3);
    expect(right.names).toEqual(["ada", "bob", "cyd", "dan", "eve"]);
  });

  test.each([0, 1, 2])("may be a piece of a state, which is asked for again: %s", async (part) => {
    const { clock, left, right } = await two();
    right.lost = () => true;
    for (let each = 0; each < 250; each++) left.visit(userOf(`user ${each}`));
    await clock.advance(0);
    right.lost = (payload) => payload.includes(`"part":${part}`);
    await clock.advance(2_000);
    expect(right.here.count("lobby")).toBe(0);
    right.lost = () => false;
    await clock.advance(2_000);
    expect(right.here.count("lobby")).toBe(250);
  });

  test("may be a piece of one state before the pieces of the next", async () => {
    const { clock, server, left } = await two();
    const outside = await stranger(server, clock);
    const say = (version: number, part: number, name: string) =>
      outside.groupSend("sluice.presence", {
        type: "presence.state",
        from: "outside",
        version,
        part,
        parts: 2,
        entries: [{ group: "lobby", member: { id: name, username: name, since: 1, info: {} } }],
      });
    await say(1, 0, "ada");
    await say(2, 1, "bob");
    expect(left.names).toEqual([]);
    await say(3, 0, "cyd");
    await say(3, 1, "dan");
    expect(left.names).toEqual(["cyd", "dan"]);
  });
});

describe("what comes from outside", () => {
  const member = { id: "eve", username: "eve", since: 1, info: {} };
  const from = { from: "eve", version: 1 };
  const malformed: LayerMessage[] = [
    { type: "chat.message" },
    { type: "presence.other", ...from },
    { type: "presence.beat", from: 1, version: 1 },
    { type: "presence.beat", from: "eve", version: -1 },
    { type: "presence.beat", from: "eve", version: 1.5 },
    { type: "presence.enter", ...from, group: "lobby" },
    { type: "presence.enter", ...from, group: 1, member },
    ...[{ id: 1 }, { username: null }, { since: "1" }, { info: [] }, { info: null }].map((wrong) => ({
      type: "presence.enter",
      ...from,
      group: "lobby",
      member: { ...member, ...wrong },
    })),
    { type: "presence.exit", ...from, group: "lobby" },
    { type: "presence.exit", ...from, id: "ada" },
    { type: "presence.ask", ...from, of: null },
    { type: "presence.ask", ...from, of: 1, channel: "a!b" },
    { type: "presence.state", ...from, part: 0, parts: 0, entries: [] },
    { type: "presence.state", ...from, part: 1, parts: 1, entries: [] },
    { type: "presence.state", ...from, part: 0, parts: "1", entries: [] },
    { type: "presence.state", ...from, part: 0, parts: 1, entries: {} },
    { type: "presence.state", ...from, part: 0, parts: 1, entries: [null] },
  ];

  test.each(malformed)("is not believed if it is malformed: $type", async (message) => {
    const { clock, server, left } = await two();
    left.visit(ada);
    const outside = await stranger(server, clock);
    await outside.groupSend("sluice.presence", message);
    await clock.advance(0);
    expect(left.names).toEqual(["ada"]);
    expect(left.log.lines).toEqual([
      {
        level: "warn",
        message: "presence was sent what it cannot read",
        fields: { type: message.type, malformed: 1 },
      },
    ]);
  });

  test("harms nobody if it asks for what cannot be, comes twice, or is not to the point", async () => {
    const { clock, server, left } = await two();
    left.visit(ada);
    const outside = await stranger(server, clock);
    const say = (message: LayerMessage) => outside.groupSend("sluice.presence", { ...from, ...message });
    await say({ type: "presence.ask", of: null, channel: "no channel" });
    await say({ type: "presence.ask", of: "somebody else", channel: "a!b" });
    await say({ type: "presence.exit", group: "nowhere", id: "eve" });
    await say({ type: "presence.enter", group: "lobby", member });
    await say({ type: "presence.enter", group: "lobby", member });
    await clock.advance(0);
    expect(left.names).toEqual(["ada"]);
    await say({ type: "presence.enter", version: 2, group: "lobby", member });
    await say({ type: "presence.bye", version: 2 });
    await say({ type: "presence.bye", version: 2 });
    await clock.advance(0);
    expect(left.names).toEqual(["eve", "ada"]);
    await clock.advance(5_000);
    expect(left.told).toEqual(["+ada", "+eve", "-eve"]);
    expect(left.warnings()).toEqual([]);
  });
});

describe("whatever happens", () => {
  const users = ["ada", "bob", "cyd", "dan"].map(userOf);
  const place = fc.nat(2);
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("visit" as const), place, who: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("leave" as const), place, who: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(9_000) }) },
    fc.record({ do: fc.constantFrom("kill" as const, "close" as const), place }),
    fc.record({ do: fc.constantFrom("cut" as const, "mend" as const), place }),
    fc.record({ do: fc.constant("lose" as const), place, ms: fc.nat(3_000) }),
  );

  test("all processes come to agree on who is there, and have told of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, server, processes, start } = await world(3);
        const leaves: [process: Process, name: string, leave: () => void][] = [];
        const disturbed = new Set<Process>();
        for (const each of steps) {
          if (each.do === "wait") {
            await clock.advance(each.ms);
            continue;
          }
          const process = processes[each.place] as Process;
          if (each.do === "visit") {
            const user = users[each.who] as User;
            leaves.push([process, user.username, process.visit(user)]);
          } else if (each.do === "leave") {
            const name = users[each.who]?.username;
            const index = leaves.findIndex(([where, who]) => where === process && who === name);
            for (const [, , leave] of index === -1 ? [] : leaves.splice(index, 1)) leave();
          } else if (each.do === "cut" || each.do === "mend") {
            disturbed.add(process);
            process[each.do]();
          } else if (each.do === "lose") {
            disturbed.add(process);
            process.lost = () => true;
            await clock.advance(each.ms);
            process.lost = () => false;
          } else {
            if (each.do === "close") await process.here.close();
            await process.kill();
            processes.splice(each.place, 1, await start().then(() => processes.pop() as Process));
          }
        }
        for (const process of disturbed) process.mend();
        await clock.advance(20_000);
        const expected = new Set(leaves.flatMap(([process, name]) => (processes.includes(process) ? [name] : [])));
        for (const process of processes) {
          expect(new Set(process.names)).toEqual(expected);
          expect(process.here.count("lobby")).toBe(expected.size);
          expect(process.here.members("lobby")).toEqual(processes[0]?.here.members("lobby"));
          if (disturbed.has(process)) continue;
          const told = new Set<string>();
          for (const event of process.told) {
            const name = event.slice(1);
            // Each comes only when it has not, and leaves only when it has.
            expect(told.has(name)).toBe(event[0] === "-");
            if (event[0] === "+") told.add(name);
            else told.delete(name);
          }
          expect(told).toEqual(expected);
        }
        for (const process of processes) {
          await process.here.close();
          await process.layer.close();
        }
        expect(server.topics).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
