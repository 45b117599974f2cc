import type { CloseOptions, Server } from "../ports/server.js";
import type { Listener } from "../ports/transport.js";
import { checkCloseOptions } from "./close-options.js";
import type { ProtocolServer } from "./protocol-server.js";

/**
 * Starts the application, opens the port, and gives the server that all transports have in common. Rejects with what
 * start-up rejects with, or with what `listen` does, after the application has been shut down.
 */
export async function serveWith(server: ProtocolServer, listener: Listener): Promise<Server> {
  let started = false;
  try {
    await server.startup();
    started = true;
    const address = await listener.listen();
    return new ListeningServer(server, listener, address.host, address.port);
  } catch (error) {
    const report = (err: unknown): void => server.logger.error({ err }, "the end of a failed start failed");
    if (started) await server.shutdown({ deadline: 0 }).catch(report);
    // In a function of its own, as it may throw at once, too.
    await (async () => listener.cut())().catch(report);
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

  close(options?: CloseOptions): Promise<void> {
    try {
      const checked = checkCloseOptions(options);
      this.#closed ??= this.#close(checked);
      return this.#closed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #close(options: CloseOptions): Promise<void> {
    try {
      this.#listener.stopListening();
    } finally {
      await this.#shutDown(options);
    }
  }

  async #shutDown(options: CloseOptions): Promise<void> {
    try {
      await this.#server.shutdown(options);
    } finally {
      await this.#listener.cut();
    }
  }
}
