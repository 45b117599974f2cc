import postgres from "postgres";
import { expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { Connection } from "./connection.js";
import { serversOf } from "./server-url.js";
import { Sweeper } from "./sweeper.js";
import { tables } from "./tables.js";

describePostgres(() => {
  it("clears away what has expired, and nothing else, in several processes at once", async () => {
    const url = await freshDatabase();
    const admin = postgres(url, { max: 1, onnotice: () => {} });
    const connections = serversOf(url).flatMap((server) =>
      [0, 1].map(() => new Connection(server, { timeout: 10_000, lost: () => {} })),
    );
    const sweepers = await Promise.all(
      connections.map(async (connection) => new Sweeper(connection, await tables(connection))),
    );
    try {
      await admin`
        insert into sluice_layer_queue (queue, payload, expires_at)
        select 'q', 'a', now() + interval '1 minute' * (i - 300) from generate_series(0, 301) as i`;
      await admin`
        insert into sluice_layer_payloads (id, payload, expires_at)
        select gen_random_uuid(), 'a', now() + interval '1 minute' * (i - 300) from generate_series(0, 301) as i`;
      await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
      const [left] = await admin`
        select (select count(*)::int from sluice_layer_queue) as queue,
          (select count(*)::int from sluice_layer_payloads) as payloads`;
      expect(left).toEqual({ queue: 1, payloads: 1 });
    } finally {
      for (const sweeper of sweepers) sweeper.stop();
      await Promise.all(connections.map((connection) => connection.close(new Error("the end"))));
      await admin.end();
    }
  });
});
