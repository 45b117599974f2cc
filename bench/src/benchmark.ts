import { randomBytes } from "node:crypto";
import type { Options } from "./arguments.js";
import type { DriverAnswers } from "./driver/main.js";
import { type MeasureName, measures } from "./measure/measures.js";
import { playRounds, type Round, type Sample } from "./measure/rounds.js";
import type { Child } from "./processes/child.js";
import { Children } from "./processes/children.js";
import { type Contestant, contestants } from "./servers/contestants.js";
import type { ServerAnswers } from "./servers/present.js";
import { secretVariable } from "./servers/site.js";

/** Rounds that let the servers' code be compiled; they do not count. */
const warmUp = 4;

/** Milliseconds a process has for an answer, of which the longest is some seconds away: so that a run always ends. */
const timeLimit = 30_000;

const driverModule = new URL("./driver/main.js", import.meta.url);

export interface Result {
  readonly measure: MeasureName;
  readonly rounds: readonly Round[];
}

export interface RunOptions extends Pick<Options, "measures" | "rounds" | "units"> {
  /** Told what happens meanwhile. */
  readonly tell: (line: string) => void;
  /** Ends the run early: it rejects then. */
  readonly signal: AbortSignal;
}

interface Server {
  readonly name: string;
  readonly process: Child<ServerAnswers>;
  readonly port: number;
}

/**
 * Measures all contestants, each in a process of its own, with the driver in another. None of them is left when this
 * settles. Rejects if a server does not answer as it must.
 */
export async function benchmark({ measures: wanted, rounds, units, tell, signal }: RunOptions): Promise<Result[]> {
  const children = new Children({ env: { [secretVariable]: randomBytes(32).toString("hex") }, timeLimit });
  const abort = (): void => void children.end();
  signal.addEventListener("abort", abort);
  try {
    const driver = await children.start<DriverAnswers>("the driver", driverModule);
    const servers: Server[] = [];
    for (const contestant of contestants) servers.push(await open(children, contestant));
    for (const server of servers) {
      await about(server, "before it is measured", () => driver.ask("checkGate", server.port));
    }
    const results: Result[] = [];
    for (const measure of wanted) {
      const { title, unitsPerRound } = measures[measure];
      tell(`${title}: ${warmUp} rounds to warm up, ${rounds} to measure`);
      const played = await playRounds(servers, { warmUp, rounds }, (server) =>
        about(server, title, () => sample(driver, server, measure, units ?? unitsPerRound)),
      );
      results.push({ measure, rounds: played });
    }
    return results;
  } finally {
    signal.removeEventListener("abort", abort);
    await children.end();
  }
}

async function open(children: Children, { name, module }: Contestant): Promise<Server> {
  const process = await children.start<ServerAnswers>(name, module);
  return { name, process, port: await process.ask("port") };
}

async function sample(
  driver: Child<DriverAnswers>,
  { process, port }: Server,
  measure: MeasureName,
  wanted: number,
): Promise<Sample> {
  const units = await driver.ask("prepare", { measure, port, units: wanted });
  const before = await process.ask("cpu");
  const elapsed = await driver.ask("run");
  const cpu = (await process.ask("cpu")) - before;
  const lost = await driver.ask("finish");
  return { units, cpu, elapsed, lost };
}

/** Says of a failure which server it is about, and how that ended if it did. */
async function about<Value>(server: Server, what: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    // To the driver a server that has died is a connection that was lost.
    const fate = await server.process.ask("port").then(
      () => "",
      (reason: unknown) => `; ${messageOf(reason)}`,
    );
    throw new Error(`${server.name}, ${what}: ${messageOf(error)}${fate}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
