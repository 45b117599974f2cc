import * as uws from "uWebSockets.js";
import { type App, type Server, silentLogger } from "@sluice/core";
import type { Serve } from "@sluice/testing/contract";
import { serve } from "./index.js";

const everything: App = () => {};
const onlyHttp: App<"http"> = () => {};
const logger = silentLogger;

export const server: Promise<Server> = serve(everything, { port: 0, logger, uws, tls: { key: "k", cert: "c" } });
/** The suite's own idea of `serve` is one that this adapter fits. */
export const contract: Serve = serve;

// @ts-expect-error a server is asked for everything, WebSockets too
void serve(onlyHttp, { port: 0, logger });
// @ts-expect-error it must be told where to listen
void serve(everything, { logger });
// @ts-expect-error and where to log
void serve(everything, { port: 0 });
// @ts-expect-error a certificate is of no use without its key
void serve(everything, { port: 0, logger, tls: { cert: "c" } });
// @ts-expect-error some other module
void serve(everything, { port: 0, logger, uws: { createServer: () => {} } });
// @ts-expect-error a port is a number
void serve(everything, { port: "8000", logger });
// @ts-expect-error nothing goes by that name
void serve(everything, { port: 0, logger, maxPayloadLength: 5 });
