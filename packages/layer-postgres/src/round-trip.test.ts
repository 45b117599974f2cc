import { ConfigurationError, LayerUnavailable } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { beforeAll, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { pgbouncer, startPgBouncer } from "../test/pgbouncer.js";
import { PostgresChannelLayer } from "./postgres-channel-layer.js";

const missing = pgbouncer === undefined ? " (skipped: there is no pgbouncer on the PATH)" : "";

describePostgres(() => {
  describe.skipIf(pgbouncer === undefined)(`behind PgBouncer${missing}`, () => {
    let url = "";
    beforeAll(async () => {
      url = await freshDatabase();
    });

    it("in transaction mode it says so, and what to do, and nothing of the password", async () => {
      const bouncer = await startPgBouncer(url, "transaction");
      const logger = new RecordingLogger();
      const layer = new PostgresChannelLayer({ url: bouncer.url, logger });
      try {
        const error: unknown = await layer.open().catch((error: unknown) => error);
        expect(error).toBeInstanceOf(ConfigurationError);
        expect(String(error)).toMatch(/transaction pooler, such as PgBouncer.*the PostgreSQL server itself/);
        expect(logger.errors).toEqual([error]);
        const later: unknown = await layer.send("work", { type: "job" }).catch((error: unknown) => error);
        expect(later).toBeInstanceOf(LayerUnavailable);
        expect(later).toMatchObject({ message: expect.stringContaining("transaction pooler"), cause: error });
        expect(JSON.stringify([error, later, logger.lines])).not.toContain("a-secret");
      } finally {
        await layer.close();
        await bouncer.stop();
      }
    });

    it("in transaction mode an application may publish in its transactions", async () => {
      const bouncer = await startPgBouncer(url, "transaction");
      const pool = postgres(bouncer.url, { max: 1, fetch_types: false, prepare: false });
      const layer = new PostgresChannelLayer({ url });
      try {
        const channel = await layer.open();
        await layer.groupAdd("room", channel.name);
        const sent = ["short", "x".repeat(20_000)];
        await drizzle(pool).transaction(async (tx) => {
          for (const text of sent) await layer.within(tx).groupSend("room", { type: "chat", text });
        });
        for (const text of sent) expect(await channel.receive()).toEqual({ type: "chat", text });
      } finally {
        await layer.close();
        await pool.end();
        await bouncer.stop();
      }
    });

    it("in session mode it works", async () => {
      const bouncer = await startPgBouncer(url, "session");
      const layer = new PostgresChannelLayer({ url: bouncer.url });
      try {
        const channel = await layer.open();
        await layer.groupAdd("room", channel.name);
        expect(await layer.groupSend("room", { type: "chat", text: "a" })).toEqual({ delivered: 1, dropped: 0 });
      } finally {
        await layer.close();
        await bouncer.stop();
      }
    });
  });
});
