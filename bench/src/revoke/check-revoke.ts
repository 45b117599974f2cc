import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import type { LayerName } from "../checks/layers.js";
import type { CheckContext } from "../checks/run-check.js";
import { withBroker } from "../checks/with-broker.js";
import { now, pause } from "../measure/now.js";
import type { Child } from "../processes/child.js";
import type { Children } from "../processes/children.js";
import type { Options } from "./arguments.js";
import type { CheckClientAnswers } from "./client.js";
import { patience } from "./closures.js";
import type { CheckServerAnswers, ServerState } from "./server.js";
import type { Course } from "./verdict.js";
import { secretVariable } from "./words.js";

/** Milliseconds a process has for an answer: that of the clients who join is the longest. */
const timeLimit = 120_000;

/** Milliseconds between two looks, and between two lines about it. */
const every = 100;
const tellEvery = 2_000;

/** Resolves with what was seen. No process is left when this settles. Rejects if one of them dies. */
export function checkRevoke(layer: LayerName, options: Options & CheckContext): Promise<Course> {
  const secret = randomBytes(32).toString("hex");
  const env = { [secretVariable]: secret };
  return withBroker(layer, { ...options, timeLimit, env }, ({ children }) => course(layer, options, children, secret));
}

async function course(
  layer: LayerName,
  { sockets, servers: count, rate, bound, ...options }: Options & CheckContext,
  children: Children,
  secret: string,
): Promise<Course> {
  const tell = (line: string): void => options.tell(`${layer}: ${line}`);
  const servers = await startServers(children, count);
  const ports = await Promise.all(servers.map((server) => server.ask("port")));
  const client = await children.start<CheckClientAnswers>("the clients", new URL("./client.js", import.meta.url));
  await client.ask("join", { sockets, ports, secret });
  tell(`${sockets} sockets of ${sockets / count} tokens are on ${count} servers.`);
  // The first leases begin before a server has heard itself on the layer.
  const before = await settled(servers, ({ leases, counts }) => leases === sockets / count && counts.inDoubt === 0);

  const began = now();
  await client.ask("revoke", rate);
  await follow(client, (closed) => tell(`${closed} of ${sockets} sockets are closed.`));
  const seconds = (now() - began) / 1_000;
  const after = await settled(servers, ({ leases, connections }) => leases === 0 && connections === 0);
  return {
    ...{ layer, sockets, bound, seconds, before, after },
    findings: await client.ask("findings"),
    failures: await client.ask("failures"),
    load: loadavg()[0] ?? 0,
  };
}

function startServers(children: Children, count: number): Promise<Child<CheckServerAnswers>[]> {
  const module = new URL("./server.js", import.meta.url);
  const numbers = Array.from({ length: count }, (_, index) => index);
  return Promise.all(numbers.map((number) => children.start<CheckServerAnswers>(`server ${number}`, module)));
}

/** Resolves with the states of all servers when `isSettled` says so of each, or with the last ones when the patience is over. */
async function settled(
  servers: readonly Child<CheckServerAnswers>[],
  isSettled: (state: ServerState) => boolean,
): Promise<readonly ServerState[]> {
  const deadline = now() + patience;
  for (;;) {
    const states = await Promise.all(servers.map((server) => server.ask("state")));
    if (states.every(isSettled) || now() > deadline) return states;
    await pause(every);
  }
}

/** Resolves when all is revoked and closed, or when what is not closed will not be. */
async function follow(client: Child<CheckClientAnswers>, tell: (closed: number) => void): Promise<void> {
  let told = now();
  for (;;) {
    const { closed, revoking } = await client.ask("progress");
    if (!revoking) return;
    if (now() >= told + tellEvery) {
      told = now();
      tell(closed);
    }
    await pause(every);
  }
}
