import { readFileSync } from "node:fs";
import { channelsMissing, channelsVersions } from "./channels.js";
import { type Dialect, plain, plainWithoutStatus } from "./dialect.js";
import type { Place } from "./site.js";
import { socketIo } from "./socket-io-dialect.js";

/** A server that takes part. */
export interface Contestant {
  readonly name: string;
  /** For the report. */
  readonly title: string;
  /** Runs in a process of its own, and ends in a call of `present`, also where the server is another process still. */
  readonly module: URL;
  /** The name of the contestant that does the same on the same driver without a library; a control has none. */
  readonly control?: string;
  readonly dialect: Dialect;
  /** What it has of the site; `opaque` only in a run that has a database. */
  readonly places: readonly Place[];
  /** What it runs on, for the report: `["ws 8.23.0", "jose 6.2.17"]`. Only to be asked if it is not missing. */
  versions(): readonly string[];
  /** Why it cannot run here; undefined if it can. */
  missing(): string | undefined;
}

/** There are binaries for some versions of Node only, and loading the package looks for one. */
const missingUws: string | undefined = await import("uWebSockets.js").then(
  () => undefined,
  () => `there is no binary of uWebSockets.js for Node ${process.versions.node} on ${process.platform}-${process.arch}`,
);

const webSockets = ["echo", "json", "group"] as const;
const http = ["login", "me", "ticket", "events"] as const;

/** In the order in which they take their turns. */
export const contestants: readonly Contestant[] = [
  {
    ...at("sluice-uws", "Sluice on uWebSockets.js", "control-uws"),
    places: [...webSockets, "opaque", ...http],
    versions: pinned("uWebSockets.js", "jose"),
    missing: () => missingUws,
  },
  {
    ...at("control-uws", "uWebSockets.js and jose by hand"),
    places: [...webSockets, "opaque", ...http],
    versions: pinned("uWebSockets.js", "jose"),
    missing: () => missingUws,
  },
  {
    ...at("sluice-node", "Sluice on node:http and ws", "control-ws"),
    places: [...webSockets, "opaque", ...http],
    versions: pinned("ws", "jose"),
  },
  {
    ...at("control-ws", "ws and jose by hand"),
    places: webSockets,
    versions: pinned("ws", "jose"),
  },
  {
    ...at("socketio", "Socket.IO with middleware"),
    dialect: socketIo,
    places: webSockets,
    versions: pinned("socket.io", "jose"),
  },
  {
    ...at("fastify", "Fastify with @fastify/websocket and @fastify/jwt"),
    places: [...webSockets, ...http],
    versions: pinned("fastify", "@fastify/websocket", "@fastify/jwt"),
  },
  {
    ...at("channels-uvicorn", "Django Channels on uvicorn"),
    dialect: plainWithoutStatus,
    places: webSockets,
    versions: () => channelsVersions("uvicorn"),
    missing: () => channelsMissing("uvicorn"),
  },
  {
    ...at("channels-daphne", "Django Channels on Daphne"),
    dialect: plainWithoutStatus,
    places: webSockets,
    versions: () => channelsVersions("daphne"),
    missing: () => channelsMissing("daphne"),
  },
];

/** What most have in common: plain WebSockets, and nothing that could be missing. */
function at(
  name: string,
  title: string,
  control?: string,
): Pick<Contestant, "name" | "title" | "module" | "control" | "dialect" | "missing"> {
  const module = new URL(`./${name}.js`, import.meta.url);
  return { name, title, module, ...(control !== undefined && { control }), dialect: plain, missing: () => undefined };
}

/** Of dependencies, as they stand in package.json, where the versions are exact. */
function pinned(...names: readonly string[]): () => readonly string[] {
  return () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    return names.map((name) => `${name} ${dependencies[name]?.replace(/^npm:.*@/, "")}`);
  };
}
