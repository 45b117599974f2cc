import { StoreUnavailable } from "@sluice/core";
import { DrizzleQueryError } from "drizzle-orm";
import { unknownUser } from "./column-value.js";

/** Conditions in which there is no database to talk to: node's, those of the driver `postgres`, PostgreSQL's own. */
const connectionFailures: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "EACCES",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "3D000", // invalid_catalog_name: no such database
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: it is starting or stopping
  "57P05", // idle_session_timeout
]);

/** 08: connection exceptions; 28: the credentials were refused. */
const connectionFailureClass = /^(08|28)[0-9A-Z]{3}$/;

const foreignKeyViolation = "23503";
const uniqueViolation = "23505";

/** Awaits a statement. What the driver throws leaves as one of Sluice's errors: this is where drivers end. */
export async function guarded<Value>(statement: PromiseLike<Value>): Promise<Value> {
  try {
    return await statement;
  } catch (error) {
    throw storeError(error);
  }
}

/** True for the error of a driver, or one of ours about it, that says a row of that key is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === uniqueViolation;
}

/**
 * The error to show for one that came out of Drizzle or a driver. Never carries the parameters of the statement: among
 * them are password hashes, token digests and what people wrote.
 */
export function storeError(error: unknown): unknown {
  const cause = driverError(error);
  const code = codeOf(cause);
  if (isConnectionFailure(cause, code)) {
    return new StoreUnavailable(`the database cannot be reached: ${messageOf(cause)}`, { cause });
  }
  if (code === foreignKeyViolation) {
    return new TypeError(`expected ${unknownUser}, got one that is nobody's`, { cause });
  }
  return cause;
}

/** Drizzle's own error prints the statement's parameters in its message, and PGlite's keeps them in a field. */
function driverError(error: unknown): unknown {
  const cause = error instanceof DrizzleQueryError ? error.cause : error;
  if (cause instanceof Error && "params" in cause) delete cause.params;
  return cause;
}

function isConnectionFailure(error: unknown, code: string | undefined): boolean {
  if (code !== undefined) return connectionFailures.has(code) || connectionFailureClass.test(code);
  return /^PGlite is clos(ed|ing)$/.test(messageOf(error));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** An error of several addresses that all failed has no message, but a code. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || (codeOf(error) ?? error.name) : String(error);
}
