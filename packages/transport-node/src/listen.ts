import { rm } from "node:fs/promises";
import type { Server } from "node:http";
import { type ListenOptions, Server as NetServer, type Socket } from "node:net";
import { type Address, type Listener, listenError, type ServeSettings } from "@sluice/core";
import { cutAll } from "./end-of-socket.js";
import { canReusePort } from "./options.js";
import type { Endpoint } from "./request-head.js";
import { checkIsFree } from "./unix-socket.js";

/** The port, or the Unix socket, of a server. */
export class NodeListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #settings: ServeSettings;
  /** Also those that are still in their TLS handshake. */
  readonly #connected = new Set<Socket>();
  readonly #usable = new Set<Socket>();

  constructor(server: Server, settings: ServeSettings, secure: boolean) {
    this.#server = server;
    this.#settings = settings;
    this.endpoint = { secure, server: undefined };
    server.on("connection", keepIn(this.#connected));
    server.on(secure ? "secureConnection" : "connection", keepIn(this.#usable));
  }

  get secure(): boolean {
    return this.endpoint.secure;
  }

  async listen(): Promise<Address> {
    const { address, sharedPort } = this.#settings;
    if ("unix" in address) {
      await this.#listenOnUnix(address.unix);
      this.endpoint.server = { host: address.unix, port: undefined };
    } else {
      const { host, port } = address;
      const reusePort = sharedPort && canReusePort();
      // Under node:cluster, workers share a port unless they are told not to.
      await this.#listen({ host, port, reusePort, exclusive: reusePort || !sharedPort }, `${host}:${port}`);
      const bound = this.#server.address();
      this.endpoint.server = { host, port: typeof bound === "object" && bound !== null ? bound.port : port };
    }
    return this.endpoint.server;
  }

  stopListening(): void {
    // An HTTP server's own close also cuts connections whose response is complete and still on its way.
    NetServer.prototype.close.call(this.#server);
  }

  async cut(): Promise<void> {
    await cutAll(this.#usable);
    for (const socket of this.#connected) socket.destroy();
    // Ends what it does at intervals.
    this.#server.close();
  }

  async #listenOnUnix(path: string): Promise<void> {
    // A worker of node:cluster would share it.
    const options = { path, exclusive: true };
    try {
      await this.#listen(options, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await checkIsFree(path);
      await rm(path, { force: true });
      await this.#listen(options, path);
    }
  }

  #listen(options: ListenOptions & { readonly reusePort?: boolean }, where: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException): void => reject(listenError(where, cause.code, cause));
      this.#server.once("error", fail);
      this.#server.listen(options, () => {
        this.#server.off("error", fail);
        resolve();
      });
    });
  }
}

function keepIn(sockets: Set<Socket>): (socket: Socket) => void {
  return (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
}
