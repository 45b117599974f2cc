import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Socket } from "node:net";

/** The responses of somebody else's server that are not complete, by connection. */
export class OpenResponses {
  readonly #open = new WeakMap<Socket, Set<ServerResponse>>();

  /** Ahead of the server's own listeners, one of which may throw. */
  watch(server: Server | SecureServer): void {
    server.prependListener("request", this.#add);
  }

  leave(server: Server | SecureServer): void {
    server.off("request", this.#add);
  }

  /** True if something that is sent on this connection now could overtake a response. */
  on(socket: Socket): boolean {
    return (this.#open.get(socket)?.size ?? 0) > 0;
  }

  readonly #add = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const open = this.#open.get(socket) ?? new Set();
    this.#open.set(socket, open.add(response));
    response.once("close", () => open.delete(response));
  };
}
