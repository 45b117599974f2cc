import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { App, Protocol, ProtocolServerOptions, ServeOptions, Server, TransportSettings } from "@sluice/core";
import { onTestFinished, type TestFunction, test } from "vitest";
import { RecordingLogger } from "../../recording-logger.js";
import { type Capability, capabilities } from "./capability.js";

export type { Capability, CapabilityReport } from "./capability.js";

/** What the suite asks of an adapter's `serve`. An adapter may take more options than these. */
export type Serve = (app: App, options: TransportOptions) => Promise<TransportServer>;

export type TransportOptions = ServeOptions;
export type TransportServer = Server;

export interface TransportContract {
  readonly name: string;
  readonly serve: Serve;
  /** What this transport cannot do, each with the reason. */
  readonly lacks?: Readonly<Partial<Record<Capability, string>>>;
}

/** A test that needs a capability: a skip that says why where the transport lacks it. */
export function testIfCapable(
  { name, lacks = {} }: TransportContract,
  capability: Capability,
  title: string,
  run: TestFunction,
): void {
  test(title, (context) => {
    const reason = lacks[capability];
    const report = { transport: name, capability, words: capabilities[capability] };
    context.task.meta.transportCapability = reason === undefined ? report : { ...report, reason };
    if (reason !== undefined) context.skip(reason);
    return run(context);
  });
}

/** One application per protocol. Without one for the lifespan, the server starts as if it did not care. */
export type Applications = { readonly [P in Protocol]?: App<P> };

export interface Site {
  readonly server: TransportServer;
  readonly port: number;
  readonly logger: RecordingLogger;
}

/** What a test may ask for, on a port of the system's choice if it names none. */
export type SiteOptions = Partial<TransportSettings & Omit<ProtocolServerOptions, "logger">> & {
  readonly host?: string;
  readonly port?: number;
};

/** Serves the applications until the test is over. */
export async function start(
  { serve }: TransportContract,
  applications: Applications,
  options: SiteOptions = {},
): Promise<Site> {
  const logger = new RecordingLogger();
  const server = await serve(compose(applications), { port: 0, logger, ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return { server, port: server.port, logger };
}

export function compose(applications: Applications): App {
  return (scope, receive, send) => {
    // The table has the application for this very protocol, which the type of the union cannot say.
    const application = applications[scope.type] as App | undefined;
    return application?.(scope, receive, send);
  };
}

/** Comes back in a later turn of the event loop, from outside any callback of the transport's. */
export async function realIo(): Promise<void> {
  await readFile(new URL(import.meta.url));
  await nextTurn();
}
