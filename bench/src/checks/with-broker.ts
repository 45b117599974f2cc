import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Child } from "../processes/child.js";
import { Children } from "../processes/children.js";
import type { TransportName } from "../soak/transports.js";
import type { KeeperAnswers } from "./keeper.js";
import type { LayerName } from "./layers.js";
import type { CheckContext } from "./run-check.js";
import { directoryVariable, layerVariable, prefixVariable, transportVariable, urlVariable } from "./variables.js";

export interface BrokerOptions extends Pick<CheckContext, "signal"> {
  readonly url: string | undefined;
  readonly transport: TransportName;
  /** Milliseconds that a process has for its start and for every answer. */
  readonly timeLimit: number;
  /** What the processes find in their environment besides the layer. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The processes of a check of one layer. */
export interface Processes {
  /** To start the others by, which find the layer in their environment. */
  readonly children: Children;
  /** Undefined where the layer's server was there already. */
  readonly keeper: Child<KeeperAnswers> | undefined;
}

/**
 * Does `work` with a server for the layer, and resolves with what that resolved with. No process is left when this settles.
 * Rejects if one of them dies that `work` waits for.
 */
export async function withBroker<Value>(
  layer: LayerName,
  { url, transport, timeLimit, env = {}, signal }: BrokerOptions,
  work: (processes: Processes) => Promise<Value>,
): Promise<Value> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-check-"));
  const keepers = new Children({ env: { [layerVariable]: layer, [directoryVariable]: directory }, timeLimit });
  const prefix = `check-${randomBytes(4).toString("hex")}`;
  let keeper: Child<KeeperAnswers> | undefined;
  let children: Children | undefined;
  const abort = (): void => void Promise.all([keepers.end(), children?.end()]);
  signal.addEventListener("abort", abort);
  try {
    if (url === undefined) keeper = await keepers.start<KeeperAnswers>(layer, new URL("./keeper.js", import.meta.url));
    const given = {
      ...env,
      [layerVariable]: layer,
      [urlVariable]: url ?? (await keeper?.ask("url")) ?? "",
      [prefixVariable]: prefix,
      [transportVariable]: transport,
    };
    signal.throwIfAborted();
    children = new Children({ env: given, timeLimit });
    return await work({ children, keeper });
  } finally {
    signal.removeEventListener("abort", abort);
    await children?.end();
    try {
      if (!signal.aborted) await keeper?.ask("end");
    } finally {
      await keepers.end();
      // Its keeper has done so, unless that took it too long.
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}
