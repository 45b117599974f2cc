import type { CloseOptions, Server } from "../ports/server.js";
import type { Listener } from "../ports/transport.js";
import type { ProtocolServer } from "./protocol-server.js";

/**
 * Starts the application, opens the port, and gives the server that all transports have in common. Rejects with what
 * start-up rejects with, or with what `listen` does, after the application has been shut down.
 */
export async function serveWith(server: ProtocolServer, listener: Listener): Promise<Server> {
  await server.startup();
  try {
    const address = await listener.listen();
    return new ListeningServer(server, listener, address.host, address.port);
  } catch (error) {
    await server
      .shutdown({ deadline: 0 })
      .catch((err: unknown) => server.logger.error({ err }, "the lifespan shutdown failed"));
    throw error;
  }
}

class ListeningServer implements Server {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly #server: ProtocolServer;
  readonly #listener: Listener;
  #closed: Promise<void> | undefined;

  constructor(server: ProtocolServer, listener: Listener, host: string, port: number | undefined) {
    this.#server = server;
    this.#listener = listener;
    this.host = host;
    this.port = port ?? 0;
    this.url =
      port === undefined
        ? `unix:${host}`
        : `${listener.secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  get connections(): Server["connections"] {
    return this.#server.connections;
  }

  get counts(): Server["counts"] {
    return this.#server.counts;
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close(options: CloseOptions): Promise<void> {
    this.#listener.stopListening();
    try {
      await this.#server.shutdown(options);
    } finally {
      await this.#listener.cut();
    }
  }
}
