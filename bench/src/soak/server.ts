/** The process of a soak that serves. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InMemoryChannelLayer } from "@sluice/core";
import { answerQuestions } from "../processes/answer-questions.js";
import { soakApplication } from "./application.js";
import { Failures } from "./failures.js";
import { isLeak } from "./leak.js";
import { isTransportName, transports } from "./transports.js";
import { leakVariable, transportVariable } from "./variables.js";

/** What a server of a soak holds on to, and what has gone wrong. Sizes are in bytes. */
export interface ServerState {
  /** Of V8's heap and of array buffers, right after a full garbage collection. */
  readonly heap: number;
  /** Of the process. */
  readonly rss: number;
  readonly connections: { readonly http: number; readonly websocket: number };
  readonly channels: number;
  readonly groups: number;
  /** Memberships in groups. */
  readonly members: number;
  readonly failures: Pick<Failures, "planned" | "unplanned" | "examples">;
}

export interface SoakServerAnswers {
  port(): number;
  state(): Promise<ServerState>;
}

// What `node --expose-gc` does; children get the options of their parent, which has no use for it.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const transport = process.env[transportVariable] ?? "";
const leak = process.env[leakVariable] ?? "";
if (!isTransportName(transport))
  throw new Error(`expected ${transportVariable} in the environment, got "${transport}"`);

const layer = new InMemoryChannelLayer();
const failures = new Failures();
const serve = await transports[transport]();
const application = soakApplication(layer, failures.logger, isLeak(leak) ? leak : undefined);
const server = await serve(application, { port: 0, logger: failures.logger });

answerQuestions<SoakServerAnswers>({
  port: () => server.port,
  state: async () => {
    collectGarbage();
    // Finalizers run between the two, and leave garbage of their own.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const { planned, unplanned, examples } = failures;
    return {
      heap: heapUsed + arrayBuffers,
      rss,
      connections: server.connections,
      ...layer.counts,
      members: layer.memberships,
      failures: { planned, unplanned, examples },
    };
  },
});
