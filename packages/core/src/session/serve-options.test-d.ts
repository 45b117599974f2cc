import { silentLogger } from "../ports/logger.js";
import type { ServeOptions } from "./serve-options.js";

const logger = silentLogger;

export const onPort: ServeOptions = { port: 8000, host: "::1", logger };
export const onUnix: ServeOptions = { unix: "/run/app.sock", logger, trustedProxies: ["unix"] };
// @ts-expect-error it must be told where to listen
export const nowhere: ServeOptions = { logger };
// @ts-expect-error one place, not two
export const twice: ServeOptions = { port: 8000, unix: "/run/app.sock", logger };
// @ts-expect-error a Unix socket has no host
export const hosted: ServeOptions = { unix: "/run/app.sock", host: "::1", logger };
// @ts-expect-error a port is a number
export const text: ServeOptions = { port: "8000", logger };
// @ts-expect-error nothing goes by that name
export const unknown: ServeOptions = { port: 8000, logger, limits: { maxSize: 5 } };
