import { type Address, StoreUnavailable, silentLogger } from "@sluice/core";
import { type Database, openDatabase } from "@sluice/store-drizzle";
import { RecordingLogger } from "@sluice/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../../test/fresh-database.js";
import { inMemory, type OpenCounter } from "./counter.js";
import { LoginThrottle, type LoginThrottleRules } from "./login-throttle.js";
import { inDatabase } from "./shared-counter.js";
import { Throttled } from "./throttled.js";

const defaults: LoginThrottleRules = { failuresPerAddress: 100, failuresBeforeDelay: 5, longestDelay: 900 };
const here = at("192.0.2.1");
const elsewhere = at("192.0.2.2");

function at(host: string): Address {
  return { host, port: 1234 };
}

/** The time is the test's; the timers that sweep the memory run by the machine's, and are long. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** What becomes of attempts: a right password, a wrong one, or the seconds to wait without one having been looked at. */
function world(rules: Partial<LoginThrottleRules> = {}, open: OpenCounter = inMemory) {
  const throttle = new LoginThrottle({ ...defaults, ...rules }, open);
  async function attempt(password: string, client: Address | "unknown", account: string): Promise<string | number> {
    let verified = false;
    try {
      const user = await throttle.login(account, client === "unknown" ? undefined : client, async () => {
        verified = true;
        await Promise.resolve();
        return password === "right" ? account : undefined;
      });
      return user === undefined ? "wrong" : "in";
    } catch (error) {
      if (!(error instanceof Throttled)) throw error;
      expect(verified).toBe(false);
      return error.retryAfter;
    }
  }
  return {
    throttle,
    wrong: (client: Address | "unknown" = here, account = "ada") => attempt("wrong", client, account),
    right: (client: Address | "unknown" = here, account = "ada") => attempt("right", client, account),
  };
}

async function times<Result>(count: number, act: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let done = 0; done < count; done++) results.push(await act());
  return results;
}

function atOnce<Result>(count: number, act: () => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, () => act()));
}

/** The rules, whatever counts. */
function throttleTests(open: () => Promise<OpenCounter>): void {
  it("makes an account wait after five failures: twice as long each time, up to the longest", async () => {
    const { wrong } = world({ longestDelay: 10 }, await open());
    expect(await times(6, wrong)).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong", 1]);
    for (const wait of [1, 2, 4, 8, 10, 10]) {
      expect(await wrong()).toBe(wait);
      pass(wait - 0.001);
      expect(await wrong()).toBe(1);
      pass(0.001);
      expect(await wrong()).toBe("wrong");
    }
  });

  it("refuses the right password too while there is a wait, and forgets the failures when it has come", async () => {
    const { wrong, right } = world({}, await open());
    await times(5, wrong);
    expect(await right()).toBe(1);
    pass(1);
    expect(await right()).toBe("in");
    expect(await times(5, wrong)).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong"]);
  });

  it("lets five of fifty wrong passwords at a time through, and fifty of fifty right ones", async () => {
    const { wrong, right } = world({}, await open());
    expect((await atOnce(50, () => right())).filter((outcome) => outcome === "in")).toHaveLength(50);
    expect((await atOnce(50, () => wrong())).filter((outcome) => outcome === "wrong")).toHaveLength(5);
  });

  it("lets nobody lock out an owner at an address they have logged in from", async () => {
    const { wrong, right } = world({}, await open());
    expect(await right(here)).toBe("in");
    for (let address = 0; address < 30; address++) {
      await wrong(at(`198.51.100.${address}`));
      pass(1);
    }
    expect(await wrong(elsewhere)).toBeGreaterThan(1);
    expect(await right(here)).toBe("in");
    expect(await times(5, () => wrong(here))).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong"]);
    expect(await right(here)).toBe(1);
  });

  it("makes strangers wait for one another's failures, for a minute at the most", async () => {
    const { wrong, right } = world({}, await open());
    for (let address = 0; address < 40; address++) {
      await wrong(at(`198.51.100.${address}`));
      pass(60);
    }
    expect(await wrong(here)).toBe("wrong");
    expect(await right(elsewhere)).toBe(60);
    pass(60);
    expect(await right(elsewhere)).toBe("in");
    expect(await right(at("192.0.2.3"))).toBe("in");
  });

  it("forgets an address two weeks after the last login from there", async () => {
    const { wrong, right } = world({}, await open());
    const day = 24 * 3600;
    const keepOut = async () => {
      for (let address = 0; address < 6; address++) await wrong(at(`198.51.100.${address}`));
    };
    await right(here);
    pass(10 * day);
    await right(here);
    pass(13 * day);
    await keepOut();
    expect(await wrong(here)).toBe("wrong");
    pass(2 * day);
    await keepOut();
    expect(await wrong(here)).toBe(1);
  });

  it("refuses an address that has failed too often, whatever the accounts, until its time is over", async () => {
    const { wrong, right } = world({ failuresPerAddress: 3 }, await open());
    expect(await right(here, "grace")).toBe("in");
    for (const account of ["a", "b", "c"]) expect(await wrong(here, account)).toBe("wrong");
    pass(60);
    expect([await wrong(here, "d"), await right(here, "grace"), await right(elsewhere)]).toEqual([840, 840, "in"]);
    pass(840);
    expect(await right(here)).toBe("in");
  });

  it("does not count what was refused, nor what could not be verified", async () => {
    const { throttle, wrong, right } = world({ failuresPerAddress: 6 }, await open());
    for (let failed = 0; failed < 10; failed++) {
      const login = throttle.login("ada", here, () => Promise.reject(new Error("no database")));
      await expect(login).rejects.toThrow("no database");
    }
    await times(5, wrong);
    expect(await times(10, wrong)).toEqual(Array.from({ length: 10 }, () => 1));
    pass(1);
    await expect(throttle.login("ada", here, () => Promise.reject(new Error("no database")))).rejects.toThrow();
    expect(await right()).toBe("in");
    expect(await wrong()).toBe("wrong");
    expect(await wrong()).toBe(899);
  });
}

describe("in memory", () => {
  throttleTests(async () => inMemory);

  it("lets an address try again to log in while many of its logins are under way", async () => {
    const { right } = world({ failuresPerAddress: 8 });
    const logins = Array.from({ length: 50 }, (_, index) => right(here, `user${index}`));
    expect(new Set(await Promise.all(logins))).toEqual(new Set(["in"]));
  });

  it("takes a network of IPv6 for one address", async () => {
    const { wrong } = world({ failuresPerAddress: 2 });
    await wrong(at("2001:db8:0:1::1"), "a");
    await wrong(at("2001:db8:0:1:ffff::2"), "b");
    expect(await wrong(at("2001:db8:0:1::3"), "c")).toBe(900);
    expect(await wrong(at("2001:db8:0:2::3"), "c")).toBe("wrong");
  });

  it("knows only the account where the transport knows no address", async () => {
    const { wrong, right } = world({ failuresPerAddress: 3 });
    expect(await times(6, () => wrong("unknown"))).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong", 1]);
    expect(await right("unknown", "grace")).toBe("in");
  });

  it("can be told to let everything pass", async () => {
    const { wrong } = world({ failuresPerAddress: 0, longestDelay: 0 });
    expect(new Set(await times(200, wrong))).toEqual(new Set(["wrong"]));
  });

  it("counts registrations that are refused, by address, with the logins that failed", async () => {
    const { throttle, wrong } = world({ failuresPerAddress: 3 });
    const register = (outcome: string | undefined, client: Address | undefined) =>
      throttle.registration(client, async () => outcome);
    await times(5, () => register("ada", here));
    expect(await times(2, () => register(undefined, here))).toEqual([undefined, undefined]);
    await wrong();
    await expect(register("grace", here)).rejects.toMatchObject({ status: 429, closeCode: 4429, retryAfter: 900 });
    expect(await register("grace", elsewhere)).toBe("grace");
    expect(await register("grace", undefined)).toBe("grace");
  });
});

describePostgres(() => {
  const opened: Database[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
  });

  async function open(url: string): Promise<Database> {
    const database = await openDatabase({ url });
    opened.push(database);
    await database.migrate();
    return database;
  }

  throttleTests(async () => inDatabase(await open(await freshDatabase()), silentLogger));

  it("lets five of fifty wrong passwords at a time through two processes", async () => {
    const url = await freshDatabase();
    const one = world({}, inDatabase(await open(url), silentLogger));
    const two = world({}, inDatabase(await open(url), silentLogger));
    const outcomes = await Promise.all([atOnce(25, () => one.wrong()), atOnce(25, () => two.wrong())]);
    expect(outcomes.flat().filter((outcome) => outcome === "wrong")).toHaveLength(5);
  });

  it("counts in memory while the database is away, and says so once", async () => {
    const database = await open(await freshDatabase());
    const logger = new RecordingLogger();
    const { wrong, right } = world({}, inDatabase(database, logger));
    await database.close();
    expect(await right()).toBe("in");
    expect(await times(6, wrong)).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong", 1]);
    expect(logger.lines).toMatchObject([
      { level: "warn", message: "the database cannot count failed logins: they are counted in memory" },
    ]);
  });

  it("says when the database counts again", async () => {
    const database = await open(await freshDatabase());
    const logger = new RecordingLogger();
    let isAway = true;
    const query: Database["query"] = (text, values) =>
      isAway ? Promise.reject(new StoreUnavailable("away")) : database.query(text, values);
    const { wrong } = world({}, inDatabase({ query }, logger));
    await wrong();
    isAway = false;
    expect(await times(6, wrong)).toEqual(["wrong", "wrong", "wrong", "wrong", "wrong", 1]);
    expect(logger.lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  });
});
