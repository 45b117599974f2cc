import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { App, Server } from "@sluice/core";
import { silentLogger } from "@sluice/core";
import type { Serve } from "@sluice/testing/contract";
import { type AttachedApplication, attach, serve } from "./index.js";

const everything: App = () => {};
const webSockets: App<"websocket" | "lifespan"> = () => {};
const onlyHttp: App<"http"> = () => {};
const logger = silentLogger;

export const server: Promise<Server> = serve(everything, { port: 0, logger, tls: { key: "k", cert: "c" } });
export const onSocket: Promise<Server> = serve(everything, { unix: "/run/app.sock", logger, compression: true });
/** The suite's own idea of `serve` is one that this adapter fits. */
export const contract: Serve = serve;

// @ts-expect-error a server is asked for everything, WebSockets too
void serve(onlyHttp, { port: 0, logger });
// @ts-expect-error it must be told where to listen
void serve(everything, { logger });
// @ts-expect-error in one place
void serve(everything, { port: 0, unix: "/run/app.sock", logger });
// @ts-expect-error and where to log
void serve(everything, { port: 0 });
// @ts-expect-error a certificate is of no use without its key
void serve(everything, { port: 0, logger, tls: { cert: "c" } });
// @ts-expect-error nothing goes by that name
void serve(everything, { port: 0, logger, maxPayload: 5 });

export const attached: Promise<AttachedApplication> = attach(createServer(), webSockets, { logger, path: "/ws/" });
void attach(createSecureServer(), everything, { logger, limits: { maxConnections: 10 }, idleTimeout: 0 });
// @ts-expect-error there are no requests for it
void attach(createServer(), onlyHttp, { logger });
// @ts-expect-error the server listens for itself
void attach(createServer(), webSockets, { logger, port: 0 });
// @ts-expect-error and has its own TLS
void attach(createServer(), webSockets, { logger, tls: { key: "k", cert: "c" } });
