import { randomBytes } from "node:crypto";
import { type BrokerListener, LayerUnavailable } from "@sluice/core";
import postgres, { type Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { PostgresBroker } from "./postgres-broker.js";

/** Milliseconds that a busy machine may take for what an idle one does at once. */
const patience = 10_000;
const limits = { capacity: 1_000, expiry: 60_000 };

describePostgres(() => {
  let url = "";
  let admin: Sql;
  let prefix = "";
  const brokers: PostgresBroker[] = [];
  beforeAll(async () => {
    url = await freshDatabase();
    admin = postgres(url, { max: 1, onnotice: () => {} });
  });
  beforeEach(() => {
    prefix = randomBytes(4).toString("hex");
  });
  afterEach(() => Promise.all(brokers.splice(0).map((broker) => broker.close())));
  afterAll(() => admin.end());

  interface Opened {
    readonly broker: PostgresBroker;
    readonly got: [topic: string, payload: string][];
    readonly told: string[];
  }

  async function open(options = {}): Promise<Opened> {
    const broker = new PostgresBroker({ url, prefix, timeout: 5_000, ...options });
    brokers.push(broker);
    const got: [string, string][] = [];
    const told: string[] = [];
    const listener: BrokerListener = {
      message: (topic, payload) => void got.push([topic, payload]),
      connected: () => void told.push("connected"),
      disconnected: () => void told.push("disconnected"),
    };
    broker.connect(listener);
    await vi.waitFor(() => expect(told).toEqual(["connected"]), patience);
    return { broker, got, told };
  }

  /** What our connections hold on the server. */
  async function held() {
    const [row] = await admin`
      select
        (select count(*)::int from pg_locks where locktype = 'advisory' and objsubid = 2) as locks,
        (select count(*)::int from pg_stat_activity
          where application_name = 'sluice-layer' and datname = current_database()) as connections`;
    return row;
  }

  describe("publish", () => {
    it("says whether a process is there, of groups that it may be, and hears itself", async () => {
      const [one, two] = [await open(), await open()];
      await one.broker.subscribe("process:one");
      expect(await two.broker.publish("process:one", "a")).toBe(true);
      expect(await one.broker.publish("process:one", "b")).toBe(true);
      expect(await two.broker.publish("process:nobody", "c")).toBe(false);
      expect(await two.broker.publish("group:nobody", "d")).toBe(true);
      await vi.waitFor(() => expect(one.got).toHaveLength(2), patience);
      expect(one.got).toEqual([
        ["process:one", "a"],
        ["process:one", "b"],
      ]);
      await one.broker.unsubscribe("process:one");
      expect(await two.broker.publish("process:one", "e")).toBe(false);
    });

    it("keeps the order of all topics, with payloads of any length between", async () => {
      const [one, two] = [await open(), await open()];
      await Promise.all(["group:a", "group:b"].map((topic) => one.broker.subscribe(topic)));
      const sent = Array.from({ length: 300 }, (_, index): [string, string] => [
        index % 3 === 0 ? "group:a" : "group:b",
        `${index} ${"ü".repeat(index % 7 === 0 ? 20_000 : index % 5 === 0 ? 3_990 : 1)}`,
      ]);
      await Promise.all(sent.map(([topic, payload]) => two.broker.publish(topic, payload)));
      await vi.waitFor(() => expect(one.got).toHaveLength(300), patience);
      expect(one.got).toEqual(sent);
    });

    it.each([7_980, 7_990, 7_995, 7_996, 7_997, 7_998, 7_999, 8_000, 8_001])("carries %i bytes", async (length) => {
      const { broker, got } = await open();
      await broker.subscribe("group:a");
      await broker.publish("group:a", "x".repeat(length));
      await vi.waitFor(() => expect(got).toEqual([["group:a", "x".repeat(length)]]), patience);
    });

    it("takes effect in the order of the calls, also beside subscribe() and unsubscribe()", async () => {
      const { broker, got } = await open();
      await Promise.all([
        broker.publish("group:a", "too early"),
        broker.subscribe("group:a"),
        broker.publish("group:a", "heard"),
      ]);
      await vi.waitFor(() => expect(got).toHaveLength(1), patience);
      await Promise.all([
        broker.unsubscribe("group:a"),
        broker.publish("group:a", "too late"),
        broker.publish("group:b", "another"),
        broker.subscribe("group:a"),
        broker.publish("group:a", "heard again"),
      ]);
      await vi.waitFor(() => expect(got).toHaveLength(2), patience);
      expect(got.map(([, payload]) => payload)).toEqual(["heard", "heard again"]);
    });

    it("knows topics that are too long for the name of a channel, and keeps prefixes apart", async () => {
      const topics = ["a", "b"].map((last) => `group:${"x".repeat(100)}${last}`);
      const one = await open();
      const stranger = await open({ prefix: `${prefix}x` });
      for (const topic of topics) await Promise.all([one.broker.subscribe(topic), stranger.broker.subscribe(topic)]);
      for (const topic of topics) await one.broker.publish(topic, topic);
      await vi.waitFor(() => expect(one.got).toHaveLength(2), patience);
      expect(one.got).toEqual(topics.map((topic) => [topic, topic]));
      expect(stranger.got).toEqual([]);
    });
  });

  describe("a queue", () => {
    it("holds exactly what it may when several fill it at once", async () => {
      const opened = await Promise.all([open(), open(), open()]);
      const pushes = Array.from({ length: 60 }, (_, index) =>
        opened[index % 3]?.broker.push("q", `${index}`, { capacity: 25, expiry: 60_000 }),
      );
      expect((await Promise.all(pushes)).filter(Boolean)).toHaveLength(25);
    });

    it("gives each item to one of several who take, in order", async () => {
      const opened = await Promise.all([open(), open(), open()]);
      await Promise.all(Array.from({ length: 60 }, (_, index) => opened[0]?.broker.push("q", `${index}`, limits)));
      const taken = await Promise.all(Array.from({ length: 61 }, (_, index) => opened[index % 3]?.broker.pop("q")));
      const numbers = taken.flatMap((item) => (item === undefined ? [] : Number(item)));
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    });

    it("forgets what has expired, by the server's clock, and has room again", async () => {
      const { broker } = await open();
      const brief = { capacity: 1, expiry: 60_000 };
      expect(await broker.push("q", "old", brief)).toBe(true);
      expect(await broker.push("q", "lost", brief)).toBe(false);
      await admin`update sluice_layer_queue set expires_at = now() where queue = ${`${prefix}:q`}`;
      expect(await broker.push("q", "young", brief)).toBe(true);
      expect(await broker.pop("q")).toBe("young");
      expect(await broker.pop("q")).toBeUndefined();
    });

    it("takes any text, and is the only one that flush() of another layer leaves", async () => {
      const [one, stranger] = [await open(), await open({ prefix: `${prefix}x` })];
      const text = `'; drop table sluice_layer_queue; -- \\ " $1 ü\u{1f44b}\n`;
      await stranger.broker.push("q", text, limits);
      await one.broker.push("q", text, limits);
      await one.broker.flush();
      expect(await one.broker.pop("q")).toBeUndefined();
      expect(await stranger.broker.pop("q")).toBe(text);
    });
  });

  it("leaves nothing on the server when it is closed", async () => {
    const { broker } = await open();
    await broker.subscribe("process:one");
    expect(await held()).toMatchObject({ locks: 1, connections: 2 });
    const late = expect(broker.pop("q")).rejects.toBeInstanceOf(LayerUnavailable);
    await broker.close();
    await late;
    await vi.waitFor(async () => expect(await held()).toEqual({ locks: 0, connections: 0 }), patience);
    await expect(broker.publish("group:a", "a")).rejects.toBeInstanceOf(LayerUnavailable);
  });

  it.each([0, 1])("begins anew when one of its connections is ended (%i)", async (which) => {
    const { broker, got, told } = await open();
    await Promise.all([broker.subscribe("process:one"), broker.subscribe("group:a")]);
    const under = expect(broker.push("q", "x".repeat(1_000_000), limits)).resolves.toBe(true);
    await under;
    await admin`
      select pg_terminate_backend(pid) from (
        select pid from pg_stat_activity where application_name = 'sluice-layer' and datname = current_database()
        order by pid offset ${which} limit 1
      ) as one`;
    await vi.waitFor(() => expect(told).toEqual(["connected", "disconnected", "connected"]), patience);
    await vi.waitFor(async () => expect(await held()).toMatchObject({ locks: 0, connections: 2 }), patience);
    expect(await broker.publish("process:one", "nobody")).toBe(false);
    await broker.subscribe("group:a");
    await broker.publish("group:a", "again");
    await vi.waitFor(() => expect(got).toEqual([["group:a", "again"]]), patience);
  });

  it("leaves nothing behind of the connections it has had", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    try {
      const { told } = await open();
      for (let losses = 1; losses <= 11; losses++) {
        await admin`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'sluice-layer' and datname = current_database()`;
        await vi.waitFor(() => expect(told).toHaveLength(1 + 2 * losses), { timeout: patience, interval: 5 });
      }
      await new Promise(setImmediate);
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", note);
    }
  });

  it("goes on after a notification that no layer has sent", async () => {
    const { broker, got, told } = await open();
    await broker.subscribe("group:a");
    for (const text of ["", "#", "#nonsense", "nonsense"])
      await admin`select pg_notify(${`${prefix}:group:a`}, ${text})`;
    await broker.publish("group:a", "x".repeat(10_000));
    await vi.waitFor(() => expect(got).toEqual([["group:a", "x".repeat(10_000)]]), patience);
    expect(told).toEqual(["connected"]);
  });

  it("takes itself for lost when it cannot read what has arrived, as that is a gap", async () => {
    const own = await freshDatabase();
    const [{ broker, got, told }, other] = [await open({ url: own }), await open({ url: own })];
    const session = postgres(own, { max: 1, onnotice: () => {} });
    await broker.subscribe("group:a");
    await session`alter table sluice_layer_payloads rename payload to another`;
    await session`select pg_notify(${`${prefix}:group:a`}, '#00000000-0000-0000-0000-000000000000')`;
    await vi.waitFor(() => expect(told).toEqual(["connected", "disconnected", "connected"]), patience);
    await session`alter table sluice_layer_payloads rename another to payload`;
    await broker.subscribe("group:a");
    await other.broker.publish("group:a", "x".repeat(10_000));
    await vi.waitFor(() => expect(got).toHaveLength(1), patience);
    await session.end();
  });

  it("makes its tables once, however many begin at the same time", async () => {
    const empty = await freshDatabase();
    const opened = await Promise.all(Array.from({ length: 6 }, () => open({ url: empty })));
    expect(opened.map(({ told }) => told)).toEqual(opened.map(() => ["connected"]));
  });

  it("needs no right to make tables that are there", async () => {
    const role = `sluice_${randomBytes(4).toString("hex")}`;
    await open();
    await admin.unsafe(`create role ${role} login password 'secret'; revoke create on schema public from public;
      grant select, insert, delete, update on sluice_layer_queue, sluice_layer_payloads to ${role}`);
    try {
      const { broker, got } = await open({
        url: Object.assign(new URL(url), { username: role, password: "secret" }).href,
      });
      await broker.subscribe("group:a");
      await broker.publish("group:a", "x".repeat(10_000));
      await broker.push("q", "a", limits);
      expect(await broker.pop("q")).toBe("a");
      await vi.waitFor(() => expect(got).toHaveLength(1), patience);
      await broker.close();
    } finally {
      await admin.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });
});
