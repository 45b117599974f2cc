import { randomBytes } from "node:crypto";
import type { Channel } from "@sluice/core";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { PostgresChannelLayer } from "./postgres-channel-layer.js";

describePostgres(() => {
  let url = "";
  let pool: Sql;
  const layers: PostgresChannelLayer[] = [];
  let here: PostgresChannelLayer;
  let members: Channel[] = [];
  beforeAll(async () => {
    url = await freshDatabase();
    pool = postgres(url, { max: 10, onnotice: () => {} });
  });
  beforeEach(async () => {
    const prefix = randomBytes(4).toString("hex");
    layers.push(...[0, 1].map(() => new PostgresChannelLayer({ url, prefix, capacity: 1_000, timeout: 10_000 })));
    here = layers[0] as PostgresChannelLayer;
    members = await Promise.all(layers.map((layer) => layer.open()));
    for (const [index, layer] of layers.entries()) await layer.groupAdd("room", members[index]?.name ?? "");
  });
  afterEach(() => Promise.all(layers.splice(0).map((layer) => layer.close())));
  afterAll(() => pool.end());

  /** What each member gets up to a last message, which is sent when everything else has been. */
  async function all(): Promise<unknown[][]> {
    await here.groupSend("room", { type: "chat", text: "the end" });
    return Promise.all(
      members.map(async (member) => {
        const texts: unknown[] = [];
        for (let text: unknown; text !== "the end"; texts.push(text)) ({ text } = await member.receive());
        return texts.slice(0, -1);
      }),
    );
  }

  const chat = (text: string) => ({ type: "chat", text });
  const rollback = new Error("rolled back");

  it("publishes what commits, once, and nothing that does not, under many at a time", async () => {
    const db = drizzle(pool);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        db.transaction(async (tx) => {
          await here.within(tx).groupSend("room", chat(`first of ${index}`));
          await here.within(tx).groupSend("room", chat(`second of ${index}`));
          if (index % 2 === 1) throw rollback;
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(25);
    const committed = Array.from({ length: 25 }, (_, index) => [`first of ${index * 2}`, `second of ${index * 2}`]);
    for (const texts of await all()) {
      expect([...texts].sort()).toEqual(committed.flat().sort());
      // Those of a transaction follow one another.
      const pairs = Array.from({ length: 25 }, (_, index) => texts.slice(index * 2, index * 2 + 2));
      expect(pairs.sort()).toEqual(committed.sort());
    }
  });

  it("delivers equal messages as often as they were sent", async () => {
    await drizzle(pool).transaction(async (tx) => {
      for (const text of ["same", "same", "same"]) await here.within(tx).groupSend("room", chat(text));
    });
    for (const texts of await all()) expect(texts).toEqual(["same", "same", "same"]);
  });

  it("keeps the order of long messages and short ones, and any character", async () => {
    const sent = ["a", "x".repeat(100_000), "b", `'"\\$1 ? Grüße \u{1f44b}\u0000${"y".repeat(8_000)}`, "c"];
    await drizzle(pool).transaction(async (tx) => {
      for (const text of sent) await here.within(tx).groupSend("room", chat(text));
    });
    for (const texts of await all()) expect(texts).toEqual(sent);
  });

  it("leaves nothing of a long message that was rolled back", async () => {
    const count = async () => (await pool`select count(*)::int as count from sluice_layer_payloads`)[0]?.count;
    const before = await count();
    const failed = drizzle(pool).transaction(async (tx) => {
      await here.within(tx).groupSend("room", chat("x".repeat(100_000)));
      throw rollback;
    });
    await expect(failed).rejects.toBe(rollback);
    expect(await count()).toBe(before);
    for (const texts of await all()) expect(texts).toEqual([]);
  });

  it("needs no transaction", async () => {
    await here.within(drizzle(pool)).groupSend("room", chat("alone"));
    for (const texts of await all()) expect(texts).toEqual(["alone"]);
  });

  it("takes the names and messages that the layer itself takes", async () => {
    const groups = here.within(drizzle(pool));
    await expect(groups.groupSend("no room", chat("a"))).rejects.toBeInstanceOf(TypeError);
    await expect(groups.groupSend("room", { type: "chat", at: new Date() as never })).rejects.toBeInstanceOf(TypeError);
    await layers[0]?.close();
    await expect(groups.groupSend("room", chat("a"))).rejects.toMatchObject({ code: "layer_unavailable" });
  });
});
