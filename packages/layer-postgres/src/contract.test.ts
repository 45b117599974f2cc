import { randomBytes } from "node:crypto";
import { channelLayerContract } from "@sluice/testing/contract";
import { beforeAll } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { PostgresChannelLayer } from "./postgres-channel-layer.js";

describePostgres(() => {
  let url = "";
  beforeAll(async () => {
    url = await freshDatabase();
  });

  channelLayerContract({
    name: "PostgresChannelLayer",
    open: async (settings) => {
      const prefix = randomBytes(4).toString("hex");
      const open = async () => {
        const layer = new PostgresChannelLayer({ url, prefix, timeout: 10_000, ...settings });
        await layer.ready();
        return layer;
      };
      return { layer: await open(), peer: open };
    },
    withoutClock: "PostgreSQL has a clock of its own",
  });
});
