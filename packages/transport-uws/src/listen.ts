import { type AddressInfo, createServer, type ListenOptions } from "node:net";
import { type Address, type Listener, listenError, type ServeSettings } from "@sluice/core";
import type { ListenSocket, NativeApp, NativeModule } from "./native.js";
import type { Endpoint } from "./request-head.js";
import { checkIsFree, fileIdentity, removeSocket } from "./unix-socket.js";

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`. Without it, whoever also does without it may listen on the same port. */
const exclusivePort = 1;

/** The port or the Unix socket of one native application. */
export class NativeListener implements Listener {
  readonly endpoint: Endpoint;
  readonly #module: NativeModule;
  readonly #native: NativeApp;
  readonly #settings: ServeSettings;
  #socket: ListenSocket | undefined;
  #removeFile: () => void = () => {};

  constructor(module: NativeModule, native: NativeApp, settings: ServeSettings, secure: boolean) {
    this.#module = module;
    this.#native = native;
    this.#settings = settings;
    const { address } = settings;
    this.endpoint = { secure, server: "unix" in address ? { host: address.unix, port: undefined } : address };
  }

  get secure(): boolean {
    return this.endpoint.secure;
  }

  async listen(): Promise<Address> {
    const { address, sharedPort } = this.#settings;
    if ("unix" in address) this.#socket = await this.#listenUnix(address.unix);
    else {
      const { host } = address;
      this.#socket = await this.#listenPort(host, address.port, sharedPort);
      this.endpoint.server = { host, port: this.#module.us_socket_local_port(this.#socket) };
    }
    return this.endpoint.server;
  }

  stopListening(): void {
    if (this.#socket === undefined) return;
    // The file first: a server that starts now makes one of its own.
    this.#removeFile();
    this.#module.us_listen_socket_close(this.#socket);
  }

  async cut(): Promise<void> {
    // In a turn of its own: what has got here may be running inside a native callback.
    await new Promise((resolve) => setImmediate(resolve));
    this.#native.close();
  }

  async #listenPort(host: string, wanted: number, shared: boolean): Promise<ListenSocket> {
    // The native side never shares a port that it lets the system choose.
    const port = shared && wanted === 0 ? await freePort(host) : wanted;
    const socket = await new Promise<ListenSocket | false>((done) => {
      this.#native.listen(host, port, shared ? 0 : exclusivePort, done);
    });
    return socket === false ? refuse(`${host}:${port}`, { host, port }) : socket;
  }

  async #listenUnix(path: string): Promise<ListenSocket> {
    await checkIsFree(path);
    const socket = await new Promise<ListenSocket | false>((done) => {
      this.#native.listen_unix(done, path);
    });
    if (socket === false) return refuse(path, { path });
    const identity = fileIdentity(path);
    this.#removeFile = () => removeSocket(path, identity);
    return socket;
  }
}

async function freePort(host: string): Promise<number> {
  const where = { host, port: 0 };
  try {
    return await probe(where);
  } catch (error) {
    return refuse(`${host}:0`, where, error);
  }
}

/** Rejects with the system's error. The native side only says that it failed, so the reason comes of trying again. */
async function refuse(address: string, where: ListenOptions, known?: unknown): Promise<never> {
  const error = known ?? (await probe(where).catch((reason: unknown) => reason));
  // Without an error it was taken when the native side tried, and has become free in between.
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : "EADDRINUSE";
  throw listenError(address, code, error instanceof Error ? error : undefined);
}

/** Listens for a moment. Resolves with the port, rejects with the system's error. */
function probe(where: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ ...where, exclusive: true }, () => {
      const address = server.address() as AddressInfo | string | null;
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
