import type { Server } from "node:http";

/** A server that listens, with WebSockets beside its own routes. */
export interface Host {
  readonly server: Server;
  close(): Promise<void>;
}
