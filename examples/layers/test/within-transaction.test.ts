import { PostgresChannelLayer } from "@sluice/layer-postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { orders, placeOrder, stock } from "../src/within-transaction.js";

describePostgres(() => {
  it("tells the kitchen of the orders that were placed, and of no others", async () => {
    const url = await freshDatabase();
    const pool = postgres(url, { onnotice: () => {} });
    const layers = [new PostgresChannelLayer({ url }), new PostgresChannelLayer({ url })] as const;
    try {
      await pool`create table stock (item text primary key, "left" integer not null)`;
      await pool`create table orders (id serial primary key, item text not null)`;
      const database = drizzle(pool);
      await database.insert(stock).values({ item: "soup", left: 2 });

      const [here, there] = layers;
      const kitchen = await there.open();
      await there.groupAdd("kitchen", kitchen.name);
      expect(await placeOrder(database, here, "soup")).toEqual({ id: 1, item: "soup" });
      await expect(placeOrder(database, here, "cake")).rejects.toThrow("cake is sold out");
      expect(await placeOrder(database, here, "soup")).toEqual({ id: 3, item: "soup" });
      await here.groupSend("kitchen", { type: "closing.time" });

      const placed = (id: number) => ({ type: "order.placed", order: { id, item: "soup" } });
      for (const message of [placed(1), placed(3), { type: "closing.time" }]) {
        expect(await kitchen.receive()).toEqual(message);
      }
      expect(await database.select().from(orders)).toHaveLength(2);
    } finally {
      await Promise.all([...layers.map((layer) => layer.close()), pool.end()]);
    }
  });
});
