import { BrokeredChannelLayer, type BrokeredChannelLayerOptions, ConfigurationError } from "@sluice/core";
import { PostgresBroker } from "./postgres-broker.js";
import { type GroupsInTransaction, publishStatement, type Transaction } from "./transaction.js";

export interface PostgresChannelLayerOptions extends BrokeredChannelLayerOptions {
  /**
   * `postgres://user:password@host:port/database`, of the server itself or of a pool in session mode: a transaction pooler
   * loses what one listens to.
   */
  readonly url: string;
  /** Begins the names of all that the layer has in the database, so that several applications can share it: `"sluice"` if left out. */
  readonly prefix?: string;
}

/**
 * A channel layer on PostgreSQL's `LISTEN` and `NOTIFY`. It holds two connections of its own, which count against the
 * server's `max_connections`, beside those of the application.
 *
 * It makes two unlogged tables in the first schema of the search path, `sluice_layer_queue` and `sluice_layer_payloads`,
 * unless they are there: a role that may not make tables needs them made by another, and the right to read, insert and
 * delete. A crash of the server empties them, and with them the named channels; groups and memberships survive.
 *
 * A message of more than some 7,900 bytes lies in a table for half a minute, for an hour if it was sent within a
 * transaction. All notifications of a server stand in one queue, at which its commits wait for one another: for thousands of
 * messages a second, take a broker that is made for it.
 *
 * @example
 * const layer = new PostgresChannelLayer({ url: "postgres://app:secret@localhost/app" });
 * await layer.groupSend("room", { type: "chat.message", text: "hello" });
 *
 * // Seen by everybody if the transaction commits, by nobody if it does not.
 * await database.transaction(async (tx) => {
 *   await tx.insert(messages).values({ room: "room", text: "hello" });
 *   await layer.within(tx).groupSend("room", { type: "chat.message", text: "hello" });
 * });
 */
export class PostgresChannelLayer extends BrokeredChannelLayer {
  readonly #broker: PostgresBroker;
  readonly #prefix: string;

  /** Begins to connect. Throws `ConfigurationError` for a URL or a prefix that cannot be one, and for a number out of range. */
  constructor(options: PostgresChannelLayerOptions) {
    const { url, prefix = "sluice", timeout = 2_000 } = options;
    if (!/^[\w.-]{1,40}$/.test(prefix)) {
      throw new ConfigurationError(
        `expected a prefix of up to 40 ASCII letters, digits, "-", "_" and ".", got "${prefix}"`,
      );
    }
    const broker = new PostgresBroker({ url, prefix, timeout });
    super(broker, options);
    this.#broker = broker;
    this.#prefix = prefix;
  }

  /**
   * Resolves when the server has been reached once. Rejects with `LayerUnavailable` when a try to reach it fails, and with
   * `ConfigurationError` when the URL leads to a transaction pooler.
   */
  override async ready(): Promise<void> {
    try {
      await super.ready();
    } catch (error) {
      if (error instanceof Error && error.cause instanceof ConfigurationError) throw error.cause;
      throw error;
    }
  }

  /**
   * The groups, as part of a transaction of Drizzle's in the layer's database: what is sent in it arrives if and only if it
   * commits, once, in the order of the commits. The transaction's role needs the right to insert into
   * `sluice_layer_payloads` for messages that are long. It may go through a transaction pooler.
   */
  within(transaction: Transaction): GroupsInTransaction {
    return {
      groupSend: async (group, message) => {
        const { topic, payload } = this.groupPayload(group, message);
        await this.ready();
        await transaction.execute(publishStatement(this.#prefix, topic, payload, this.#broker.tables));
      },
    };
  }
}
