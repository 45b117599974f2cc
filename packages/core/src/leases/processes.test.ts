import { FakeClock, MemoryBrokerServer, RecordingLogger } from "@sluice/testing";
import { describe, expect, test, vi } from "vitest";
import { LayerUnavailable } from "../errors.js";
import { BrokeredChannelLayer } from "../layers/brokered.js";
import type { Broker } from "../ports/broker.js";
import type { LayerMessage } from "../ports/channel-layer.js";
import type { Grant } from "../ports/token-verifier.js";
import type { Lease, LeaseEnd } from "./lease.js";
import { Leases, type LeasesOptions } from "./leases.js";

const start = Date.UTC(2026, 0, 1);

function grantOf(tokenId: string, more: Partial<Grant> & { userId?: string } = {}): Grant {
  const { userId = "ada", ...rest } = more;
  return { user: { isAuthenticated: true, id: userId, username: userId }, tokenId, expiresAt: undefined, ...rest };
}

type Wire = Broker & { lose(): void; gain(): void };

class Process {
  readonly log = new RecordingLogger();
  readonly layer: BrokeredChannelLayer;
  readonly leases: Leases;
  /** What has ended: token, reason, milliseconds since the start. */
  readonly ended: string[] = [];
  readonly #clock: FakeClock;
  readonly #wire: Wire;

  constructor(server: MemoryBrokerServer, clock: FakeClock, options: Partial<LeasesOptions>) {
    this.#clock = clock;
    this.#wire = server.broker() as Wire;
    this.layer = new BrokeredChannelLayer(this.#wire, { clock });
    this.leases = new Leases({ layer: this.layer, clock, logger: this.log, ...options });
  }

  begin(grant: Grant, since = this.#clock.now()): Lease {
    return this.leases.begin(grant, since, (reason) =>
      this.ended.push(`${grant.tokenId} ${reason} ${this.#clock.now() - start}`),
    );
  }

  cut(): void {
    this.#wire.lose();
  }

  mend(): void {
    this.#wire.gain();
  }

  get messages(): string[] {
    return this.log.lines.map(({ message }) => message);
  }
}

const lost = "revocations of other processes do not come through";
const back = "revocations of other processes come through again";

async function world(count: number, options: Partial<LeasesOptions> = {}) {
  const clock = new FakeClock(start);
  const server = new MemoryBrokerServer(() => clock.now());
  const processes = Array.from({ length: count }, () => new Process(server, clock, options));
  // Each is in touch from the first second on, with a lease that is in nobody's way.
  for (const process of processes) process.begin(grantOf("old", { userId: "old" }));
  await clock.advance(1_000);
  const [one, two, three] = processes as [Process, Process, Process];
  return { clock, server, processes, one, two, three };
}

describe("the connections of a user", () => {
  test("are counted by login, in all processes, as soon as the last has answered", async () => {
    const { clock, one, two, three } = await world(3);
    await clock.advance(15_000);
    const lease = one.begin(grantOf("t1", { sessionId: "s1" }));
    two.begin(grantOf("t2", { sessionId: "s1" }));
    two.begin(grantOf("t3"));
    three.begin(grantOf("t4", { userId: "bob" }));
    let counts: unknown;
    void three.leases.connectionsOf("ada").then((tally) => {
      counts = Object.fromEntries(tally);
    });
    await clock.advance(1);
    expect(counts).toEqual({ s1: 2, t3: 1 });
    lease.release();
    const again = three.leases.connectionsOf("ada");
    await clock.advance(1);
    expect(Object.fromEntries(await again)).toEqual({ s1: 1, t3: 1 });
  });

  test("are those that are known in a quarter second, whoever does not answer", async () => {
    const { clock, one, two, three } = await world(3);
    await clock.advance(15_000);
    for (const process of [one, two, three]) process.begin(grantOf("t1"));
    three.cut();
    const told = one.leases.connectionsOf("ada");
    const alone = three.leases.connectionsOf("ada");
    await clock.advance(250);
    expect([...(await told)]).toEqual([["t1", 2]]);
    expect([...(await alone)]).toEqual([["t1", 1]]);
    await one.leases.close();
    expect((await one.leases.connectionsOf("ada")).size).toBe(0);
  });
});

describe("a revocation", () => {
  test("of all logins of a user but one ends no lease of that one, in any process", async () => {
    const { clock, processes, two } = await world(3);
    for (const process of processes) {
      process.begin(grantOf("t1", { sessionId: "s1" }));
      process.begin(grantOf("t2"));
      process.begin(grantOf("t3", { sessionId: "s3" }));
    }
    const before = clock.now();
    await two.leases.revokeUser("ada", "password_changed", { except: "s1" });
    await clock.advance(1);
    for (const process of processes) {
      expect(process.ended).toEqual(["t2 password_changed 1000", "t3 password_changed 1000"]);
      expect(process.begin(grantOf("t4", { sessionId: "s1" }), before).ended).toBeUndefined();
      expect(process.begin(grantOf("t2"), before).ended).toBe("password_changed");
    }
    await two.leases.revokeUser("ada", "revoked", { except: "t5" });
    await clock.advance(1);
    for (const process of processes) {
      expect(process.ended.slice(2)).toEqual(["t1 revoked 1001", "t4 revoked 1001"]);
      // What one of the two has spared the other has not.
      expect(process.begin(grantOf("t5"), before).ended).toBe("revoked");
    }
  });

  test.each<[string, (leases: Leases) => Promise<void>, LeaseEnd]>([
    ["of a token", (leases) => leases.revokeToken("t1"), "revoked"],
    ["of a session", (leases) => leases.revokeSession("s1", "logged_out"), "logged_out"],
    ["of a user", (leases) => leases.revokeUser("ada", "disabled"), "disabled"],
    ["of old tokens", (leases) => leases.revokeIssuedBefore("ada", start + 1), "password_changed"],
    ["of what has expired elsewhere", (leases) => leases.revokeToken("t1", "expired"), "expired"],
  ])("%s ends the leases in all processes", async (_, revoke, reason) => {
    const { clock, processes, two } = await world(3);
    for (const process of processes) {
      process.begin(grantOf("t1", { sessionId: "s1", issuedAt: start }));
      process.begin(grantOf("t2", { sessionId: "s2", userId: "bob", issuedAt: start }));
    }
    const revoked = revoke(two.leases);
    expect(two.ended).toEqual([`t1 ${reason} 1000`]);
    await revoked;
    await clock.advance(0);
    for (const { ended, leases, messages } of processes) {
      expect(ended).toEqual([`t1 ${reason} 1000`]);
      expect(leases.size).toBe(2);
      expect(messages).toEqual([]);
    }
    await revoke(two.leases);
    await clock.advance(0);
    for (const { ended } of processes) expect(ended).toHaveLength(1);
  });

  test("reaches tokens that are just being let in elsewhere", async () => {
    const { clock, one, two } = await world(2);
    const since = clock.now();
    await clock.advance(1);
    await one.leases.revokeUser("ada", "disabled");
    await clock.advance(1);
    expect(two.begin(grantOf("t1"), since).ended).toBe("disabled");
    expect(two.begin(grantOf("t2"), since + 2).ended).toBeUndefined();
  });

  test("that comes back to who made it spares who has logged in again meanwhile", async () => {
    const { clock, one } = await world(1);
    const revoked = one.leases.revokeUser("ada");
    await clock.advance(1);
    one.begin(grantOf("t2"));
    await revoked;
    await clock.advance(10);
    expect(one.ended).toEqual([]);
  });

  test("rejects while the layer is down, is done here, and elsewhere when the layer is back", async () => {
    const { clock, one, two } = await world(2);
    for (const process of [one, two]) {
      process.begin(grantOf("t1", { userId: "ada", issuedAt: start }));
      process.begin(grantOf("t2", { userId: "bob", issuedAt: start }));
    }
    one.cut();
    await expect(one.leases.revokeToken("t1")).rejects.toThrow(LayerUnavailable);
    await expect(one.leases.revokeUser("bob")).rejects.toThrow(LayerUnavailable);
    await expect(one.leases.revokeIssuedBefore("cyd", start + 5)).rejects.toThrow(LayerUnavailable);
    expect(one.ended).toEqual(["t1 revoked 1000", "t2 revoked 1000"]);
    await clock.advance(10_000);
    expect(two.ended).toEqual([]);
    two.begin(grantOf("t3", { userId: "bob" }));
    two.begin(grantOf("t4", { userId: "cyd", issuedAt: start + 5 }));
    two.begin(grantOf("t5", { userId: "cyd", issuedAt: start + 4 }));
    one.mend();
    await clock.advance(1_000);
    expect(two.ended).toEqual(["t1 revoked 11000", "t2 revoked 11000", "t5 password_changed 11000"]);
    expect(two.messages).toEqual([]);
    expect(one.messages).toEqual([lost, back]);
  });

  test("is told again and again until it is heard", async () => {
    const { clock, one, two } = await world(2);
    two.begin(grantOf("t1"));
    const send = one.layer.groupSend.bind(one.layer);
    let failures = 3;
    one.layer.groupSend = async (group, message) => {
      if (message.type === "lease.revoke" && failures-- > 0) throw new LayerUnavailable("as asked");
      return send(group, message);
    };
    await expect(one.leases.revokeToken("t1")).rejects.toThrow(LayerUnavailable);
    await clock.advance(10_000);
    expect(two.ended).toEqual([]);
    await clock.advance(10_000);
    expect(two.ended).toEqual(["t1 revoked 15000"]);
  });

  test("that fails in a process that is closing is nobody's any more", async () => {
    const { clock, one, two } = await world(2);
    two.begin(grantOf("t1"));
    one.cut();
    const revoked = one.leases.revokeToken("t1");
    const closed = one.leases.close();
    await expect(revoked).rejects.toThrow(LayerUnavailable);
    await closed;
    one.mend();
    await clock.advance(10_000);
    expect(two.ended).toEqual([]);
  });
});

test("a process that revokes and closes has told the others", async () => {
  const { clock, one, two } = await world(2);
  two.begin(grantOf("t1"));
  await Promise.all([one.leases.revokeToken("t1"), one.leases.close()]);
  await clock.advance(0);
  expect(two.ended).toEqual(["t1 revoked 1000"]);
  expect([one.messages, one.layer.counts.channels]).toEqual([[], 0]);
});

describe("a process that was cut off", () => {
  test("asks about each lease when it is back, a few at a time", async () => {
    let asking = 0;
    let most = 0;
    const verify = vi.fn(async ({ tokenId }: Grant) => {
      most = Math.max(most, ++asking);
      await Promise.resolve();
      asking--;
      return tokenId !== "bad";
    });
    const { clock, one, two } = await world(2, { verify });
    verify.mockClear();
    for (let each = 0; each < 120; each++) one.begin(grantOf(`t${each}`));
    one.begin(grantOf("bad"));
    one.cut();
    await clock.advance(10_000);
    one.begin(grantOf("late"));
    await two.leases.revokeToken("bad");
    expect(one.ended).toEqual([]);
    one.mend();
    await clock.advance(0);
    expect(one.ended).toEqual(["bad revoked 11000"]);
    expect(verify).toHaveBeenCalledTimes(123);
    expect(most).toBe(50);
    expect(one.leases.counts).toMatchObject({ leases: 122, inDoubt: 0 });
    expect(one.messages).toEqual([lost, back]);
    await clock.advance(100_000);
    expect(one.leases.size).toBe(122);
    expect(clock.pending).toBe(2);
  });

  test("for an instant, too", async () => {
    const verify = vi.fn(() => true);
    const { clock, one } = await world(1, { verify });
    verify.mockClear();
    one.cut();
    one.mend();
    await clock.advance(0);
    expect(verify).toHaveBeenCalledTimes(1);
    // Nobody had time to notice.
    expect(one.messages).toEqual([]);
  });

  test("keeps its leases where there is nobody to ask", async () => {
    const { clock, one } = await world(1);
    one.begin(grantOf("t1"));
    one.cut();
    await clock.advance(20_000);
    expect(one.leases.counts.inDoubt).toBe(2);
    one.mend();
    await clock.advance(100_000);
    expect(one.leases.counts).toMatchObject({ leases: 2, inDoubt: 0 });
  });

  test("keeps those that the store vouches for, and ends the others when they are asked about", async () => {
    let store: "up" | "down" = "up";
    const gone = new Set<string>();
    const { clock, one } = await world(1, {
      verify: async ({ tokenId }) => {
        if (store === "down") throw new Error("the store is down");
        return !gone.has(tokenId);
      },
    });
    one.begin(grantOf("t1"));
    one.begin(grantOf("t2"));
    one.cut();
    gone.add("t1");
    // The beat at 5,000 fails; from then on the store is asked every 10 seconds.
    await clock.advance(13_999);
    expect(one.ended).toEqual([]);
    await clock.advance(1);
    expect(one.ended).toEqual(["t1 revoked 15000"]);

    await clock.advance(600_000);
    one.begin(grantOf("t3"));
    await clock.advance(600_000);
    expect(one.ended).toHaveLength(1);
    expect(one.leases.counts).toMatchObject({ leases: 3, inDoubt: 3 });
    expect(one.messages).toEqual([lost]);

    // Each had an answer in the last 10 seconds.
    store = "down";
    await clock.advance(19_999);
    expect(one.leases.size).toBe(3);
    await clock.advance(10_001);
    expect(one.leases.size).toBe(0);
  });

  test("ends all leases after a time where there is nobody to ask, those that have come meanwhile later", async () => {
    const { clock, one } = await world(1);
    one.begin(grantOf("t1"));
    await clock.advance(4_500);
    // The last that was heard was the beat at 5,000.
    one.cut();
    await clock.advance(10_000);
    one.begin(grantOf("t2"));
    one.begin(grantOf("t3", { expiresAt: start + 20_000 }));
    await clock.advance(60_000);
    expect(one.ended).toEqual(["t3 expired 20000", "old revoked 35000", "t1 revoked 35000", "t2 revoked 45500"]);
    expect(one.leases.counts).toMatchObject({ leases: 0, inDoubt: 0 });
    one.mend();
    await clock.advance(1_000);
    one.begin(grantOf("t4"));
    await clock.advance(100_000);
    expect(one.leases.size).toBe(1);
  });

  test("and is one of all when the broker stops; how long it waits can be set", async () => {
    const { clock, server, processes } = await world(3, { failClosedAfter: 1_000 });
    server.stop();
    await clock.advance(999);
    for (const { leases } of processes) expect(leases.size).toBe(1);
    await clock.advance(250);
    for (const { leases, ended } of processes) {
      expect(leases.size).toBe(0);
      expect(ended).toEqual([expect.stringMatching(/^old revoked (1\d{3}|2000)$/)]);
    }
  });

  test("does not notice when it never was in touch, and fails closed all the same", async () => {
    const clock = new FakeClock(start);
    const server = new MemoryBrokerServer(() => clock.now());
    server.stop();
    const one = new Process(server, clock, {});
    one.begin(grantOf("t1"));
    await expect(one.leases.revokeToken("t2")).rejects.toThrow(LayerUnavailable);
    await clock.advance(29_999);
    expect(one.ended).toEqual([]);
    await clock.advance(1);
    expect(one.ended).toEqual(["t1 revoked 30000"]);
    expect(one.messages).toEqual([lost]);
    server.start();
    await clock.advance(10_000);
    const two = new Process(server, clock, {});
    one.begin(grantOf("t3"));
    await two.leases.revokeToken("t3");
    await clock.advance(0);
    expect(one.ended).toContain("t3 revoked 40000");
  });

  test("is one that does not hear itself, though nobody says so", async () => {
    const verify = vi.fn(() => true);
    const { clock, one, two } = await world(2, { verify });
    const heard: string[] = [];
    const send = one.layer.groupSend.bind(one.layer);
    one.layer.groupSend = async (_, { type }) => {
      heard.push(type);
      return { delivered: 0, dropped: 0 };
    };
    verify.mockClear();
    await clock.advance(10_000);
    expect(one.messages).toEqual([lost]);
    expect(one.leases.counts.inDoubt).toBe(1);
    // What others say comes through all the same, but is not enough.
    one.begin(grantOf("t1"));
    await two.leases.revokeToken("t1");
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 revoked 11000"]);
    expect(verify).not.toHaveBeenCalled();
    one.layer.groupSend = send;
    await clock.advance(5_000);
    expect(one.messages).toEqual([lost, back]);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(heard).toContain("lease.beat");
    await clock.advance(100_000);
    expect(one.leases.counts).toMatchObject({ leases: 1, inDoubt: 0 });
  });

  test("joins again when the layer has forgotten its groups, and opens another channel when its own is gone", async () => {
    const verify = vi.fn(() => true);
    const { clock, one, two } = await world(2, { verify });
    await one.layer.flush();
    await clock.advance(20_000);
    one.begin(grantOf("t1"));
    await two.leases.revokeToken("t1");
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 revoked 21000"]);
    expect(one.messages).toEqual([lost, back]);
  });

  test("opens another channel when its own was closed", async () => {
    const clock = new FakeClock(start);
    const server = new MemoryBrokerServer(() => clock.now());
    const one = new Process(server, clock, {});
    const open = one.layer.open.bind(one.layer);
    const channels: { close(): Promise<void> }[] = [];
    one.layer.open = async (options) => {
      const channel = await open(options);
      channels.push(channel);
      return channel;
    };
    one.begin(grantOf("t1"));
    await clock.advance(1_000);
    await channels[0]?.close();
    await clock.advance(10_000);
    expect(channels).toHaveLength(2);
    expect(one.messages).toEqual([lost, back]);
    const two = new Process(server, clock, {});
    await two.leases.revokeToken("t1");
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 revoked 11000"]);
  });

  test("waits for a layer that takes its time to open, once", async () => {
    const clock = new FakeClock(start);
    const server = new MemoryBrokerServer(() => clock.now());
    const one = new Process(server, clock, { verify: () => true });
    const open = one.layer.open.bind(one.layer);
    let opened = 0;
    one.layer.open = async (options) => {
      opened++;
      await new Promise<void>((resolve) => void clock.after(12_000, resolve));
      return open(options);
    };
    one.begin(grantOf("t1"));
    await clock.advance(20_000);
    expect(opened).toBe(1);
    expect(one.messages).toEqual([lost, back]);
    expect(one.leases.counts).toMatchObject({ leases: 1, inDoubt: 0 });
  });
});

describe("a lease that is renewed", () => {
  test("ends by what another process revokes of its new token, and by nothing that is revoked of its old one", async () => {
    const { clock, one, two } = await world(2);
    const lease = one.begin(grantOf("t1", { sessionId: "s1" }));
    expect(lease.renew(grantOf("t2", { sessionId: "s2" }), clock.now())).toBe(true);
    await two.leases.revokeToken("t1");
    await two.leases.revokeSession("s1");
    await clock.advance(0);
    expect(one.ended).toEqual([]);
    await two.leases.revokeSession("s2", "logged_out");
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 logged_out 1000"]);
  });

  test("in a process that is cut off has as much time as one that begins then", async () => {
    const { clock, one } = await world(1);
    const renewed = one.begin(grantOf("t1"));
    one.begin(grantOf("t2"));
    one.cut();
    await clock.advance(10_000);
    expect(renewed.renew(grantOf("t3"), clock.now())).toBe(true);
    expect(one.leases.counts.inDoubt).toBe(3);
    await clock.advance(60_000);
    // Of those that were there the last that was heard was at the start.
    expect(one.ended).toEqual(["old revoked 30000", "t2 revoked 31000", "t1 revoked 41000"]);
  });

  test("before an outage has its time from then on", async () => {
    const { clock, one } = await world(1);
    const lease = one.begin(grantOf("t1"));
    await clock.advance(1_500);
    expect(lease.renew(grantOf("t2"), clock.now())).toBe(true);
    one.cut();
    await clock.advance(60_000);
    expect(one.ended).toEqual(["old revoked 30000", "t1 revoked 32500"]);
  });

  test("after an outage is asked about no more: its new token was good since", async () => {
    const answers: ((good: boolean) => void)[] = [];
    const asked: string[] = [];
    let slow = false;
    const { clock, one } = await world(1, {
      verify: ({ tokenId }) => {
        asked.push(tokenId);
        return slow && tokenId === "t1" ? new Promise((resolve) => answers.push(resolve)) : true;
      },
    });
    const lease = one.begin(grantOf("t1"));
    slow = true;
    one.cut();
    one.mend();
    await clock.advance(1);
    expect(one.leases.counts.inDoubt).toBe(1);
    expect(lease.renew(grantOf("t2"), clock.now())).toBe(true);
    expect(one.leases.counts.inDoubt).toBe(0);
    // What is said of the old token does not concern the new one.
    for (const answer of answers) answer(false);
    await clock.advance(100_000);
    expect([one.ended, one.leases.size, asked.includes("t2")]).toEqual([[], 2, false]);
  });

  test("during an outage is asked about by its new token", async () => {
    const gone = new Set<string>();
    const { clock, one } = await world(1, { verify: ({ tokenId }) => !gone.has(tokenId) });
    const lease = one.begin(grantOf("t1"));
    one.cut();
    await clock.advance(5_000);
    gone.add("t1");
    expect(lease.renew(grantOf("t3"), clock.now())).toBe(true);
    await clock.advance(60_000);
    expect(one.ended).toEqual([]);
    gone.add("t3");
    await clock.advance(15_000);
    expect(one.ended).toEqual([expect.stringMatching(/^t1 revoked /)]);
  });
});

describe("asking whether a lease is still good", () => {
  async function cutOff(verify: NonNullable<LeasesOptions["verify"]>) {
    let ask: NonNullable<LeasesOptions["verify"]> = () => true;
    const all = await world(1, { verify: (grant) => ask(grant) });
    all.one.begin(grantOf("t1"));
    all.one.cut();
    await all.clock.advance(5_000);
    ask = verify;
    all.one.mend();
    await all.clock.advance(0);
    const use = (other: typeof ask): void => {
      ask = other;
    };
    return { ...all, use };
  }

  test.each([
    ["rejects", () => Promise.reject(new Error("database down"))],
    ["rejects without a word", () => Promise.reject(undefined)],
    [
      "throws",
      () => {
        throw new Error("database down");
      },
    ],
  ])("is tried again where it %s, until the time is up", async (_, verify) => {
    const { clock, one, use } = await cutOff(verify);
    expect(one.leases.counts).toMatchObject({ leases: 2, inDoubt: 2 });
    await clock.advance(3_000);
    expect(one.messages.filter((message) => message.startsWith("leases cannot be verified"))).toHaveLength(4);
    use(({ tokenId }) => tokenId === "t1");
    await clock.advance(1_000);
    expect(one.ended).toEqual(["old revoked 10000"]);
    expect(one.leases.counts).toMatchObject({ leases: 1, inDoubt: 0 });
  });

  test("ends the lease where nobody can say in time", async () => {
    const { clock, one } = await cutOff(() => Promise.reject(new Error("database down")));
    await clock.advance(60_000);
    // When it was cut off at 1,000, it had last heard something at the start.
    expect(one.ended).toEqual(["old revoked 30000", "t1 revoked 31000"]);
    expect(clock.pending).toBe(1);
  });

  test("ends the lease where there is no answer at all, and the next outage is none the worse", async () => {
    const { clock, one, use } = await cutOff(() => new Promise(() => {}));
    await clock.advance(60_000);
    expect(one.leases.size).toBe(0);
    one.begin(grantOf("t2"));
    one.cut();
    use(() => true);
    one.mend();
    await clock.advance(100_000);
    expect(one.leases.counts).toMatchObject({ leases: 1, inDoubt: 0 });
  });

  test("is asked anew where the process is cut off meanwhile", async () => {
    const answers: ((good: boolean) => void)[] = [];
    const asked: string[] = [];
    const { clock, one } = await cutOff(({ tokenId }) => {
      asked.push(tokenId);
      return new Promise((resolve) => answers.push(resolve));
    });
    await clock.advance(100);
    one.cut();
    await clock.advance(5_000);
    // The answer is from before the second outage.
    for (const answer of answers.splice(0)) answer(true);
    await clock.advance(0);
    expect(one.leases.counts).toMatchObject({ leases: 2, inDoubt: 2 });
    one.mend();
    await clock.advance(0);
    expect(asked).toEqual(["old", "t1", "old", "t1"]);
    for (const answer of answers.splice(0)) answer(true);
    await clock.advance(100_000);
    expect(one.leases.counts).toMatchObject({ leases: 2, inDoubt: 0 });
  });

  test("says nothing of a second outage when it answers after that", async () => {
    const answers: ((good: boolean) => void)[] = [];
    const { clock, one } = await cutOff(() => new Promise((resolve) => answers.push(resolve)));
    await clock.advance(100);
    one.cut();
    one.mend();
    await clock.advance(0);
    expect(answers).toHaveLength(4);
    for (const answer of answers.slice(0, 2)) answer(true);
    await clock.advance(0);
    expect(one.leases.counts).toMatchObject({ leases: 2, inDoubt: 2 });
    for (const answer of answers.slice(2)) answer(false);
    await clock.advance(0);
    expect(one.leases.counts).toMatchObject({ leases: 0, inDoubt: 0 });
  });

  test("passes over those that have ended before their turn", async () => {
    const asked: string[] = [];
    const answers: ((good: boolean) => void)[] = [];
    const { clock, one } = await world(1, {
      verify: ({ tokenId }) => {
        asked.push(tokenId);
        return tokenId === "old" && asked.length === 1 ? true : new Promise((resolve) => answers.push(resolve));
      },
    });
    for (let each = 0; each < 60; each++) one.begin(grantOf(`t${each}`, { userId: each < 55 ? "ada" : "bob" }));
    one.cut();
    one.mend();
    await clock.advance(0);
    await one.leases.revokeUser("bob");
    for (const answer of answers.splice(0)) answer(true);
    await clock.advance(0);
    for (const answer of answers.splice(0)) answer(true);
    await clock.advance(0);
    expect(asked).not.toContain("t55");
    expect(one.leases.counts).toMatchObject({ leases: 56, inDoubt: 0 });
  });

  test("does not concern who has left meanwhile", async () => {
    const answers: ((good: boolean) => void)[] = [];
    const { clock, one } = await cutOff(() => new Promise((resolve) => answers.push(resolve)));
    const leaving = one.begin(grantOf("t2"), clock.now());
    leaving.release();
    await one.leases.revokeToken("t1");
    for (const answer of answers) answer(false);
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 revoked 6000", "old revoked 6000"]);
    expect(leaving.ended).toBeUndefined();
  });
});

describe("what comes from outside", () => {
  const revoke = { type: "lease.revoke", from: "eve", of: "token", id: "t1", reason: "revoked", issuedBefore: null };
  const malformed: LayerMessage[] = [
    { type: "chat.message", from: "eve" },
    { type: "lease.beat" },
    { ...revoke, from: 1 },
    { ...revoke, of: "everybody" },
    { ...revoke, id: 1 },
    { ...revoke, reason: "bored" },
    { ...revoke, reason: undefined },
    { ...revoke, issuedBefore: 1 },
    { ...revoke, of: "user", issuedBefore: "1" },
  ];

  test.each(malformed)("is not believed if it is malformed: %j", async (message) => {
    const { clock, one, two } = await world(2);
    one.begin(grantOf("t1"));
    await two.layer.groupSend("sluice.leases", JSON.parse(JSON.stringify(message)) as LayerMessage);
    await clock.advance(0);
    expect(one.ended).toEqual([]);
    expect(one.log.lines).toEqual([
      {
        level: "warn",
        message: "the leases were sent what they cannot read",
        fields: { type: message.type, malformed: 1 },
      },
    ]);
    await two.layer.groupSend("sluice.leases", revoke);
    await clock.advance(0);
    expect(one.ended).toEqual(["t1 revoked 1000"]);
  });
});

test("a channel that cannot be closed is not the problem of who closes the leases", async () => {
  const clock = new FakeClock(start);
  const server = new MemoryBrokerServer(() => clock.now());
  const one = new Process(server, clock, {});
  const open = one.layer.open.bind(one.layer);
  one.layer.open = async (options) =>
    Object.assign(await open(options), { close: () => Promise.reject(new Error("as asked")) });
  one.begin(grantOf("t1"));
  await clock.advance(1_000);
  await one.leases.close();
  expect(clock.pending).toBe(0);
});

test("nothing is left when all are closed", async () => {
  const { clock, server, processes } = await world(3, { verify: () => true });
  processes[0]?.cut();
  await clock.advance(7_000);
  for (const { leases, layer } of processes) {
    await leases.close();
    expect(layer.counts.channels).toBe(0);
    await layer.close();
  }
  await clock.advance(0);
  expect([server.topics, clock.pending]).toEqual([[], 0]);
});
