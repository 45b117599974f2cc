import type { PostgresChannelLayer } from "@sluice/layer-postgres";
import { and, eq, gt, sql } from "drizzle-orm";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";

export const stock = pgTable("stock", { item: text().primaryKey(), left: integer().notNull() });
export const orders = pgTable("orders", { id: serial().primaryKey(), item: text().notNull() });

export function placeOrder(database: PostgresJsDatabase, layer: PostgresChannelLayer, item: string) {
  return database.transaction(async (tx) => {
    const [order] = await tx.insert(orders).values({ item }).returning();
    await layer.within(tx).groupSend("kitchen", { type: "order.placed", order });
    const taken = await tx
      .update(stock)
      .set({ left: sql`${stock.left} - 1` })
      .where(and(eq(stock.item, item), gt(stock.left, 0)))
      .returning();
    if (taken.length === 0) throw new Error(`${item} is sold out`); // no order, and the kitchen has heard of none
    return order;
  });
}
