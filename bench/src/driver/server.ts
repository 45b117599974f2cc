import type { Dialect } from "../servers/dialect.js";
import type { Tokens } from "./tokens.js";

/** A server as its clients see it. */
export interface Server {
  readonly port: number;
  readonly dialect: Dialect;
  /** Those that it knows. */
  readonly tokens: Tokens;
}
