import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket, type Server as TcpServer } from "node:net";
import { type Clock, systemClock } from "@sluice/core";
import { LiveAddress } from "../live/live-address.js";
import { type Fault, type FaultOptions, faultPlan } from "./fault-plan.js";
import { FaultyConnection } from "./faulty-connection.js";

export interface FaultyNetworkOptions extends Partial<FaultOptions> {
  /** Delays and pauses go by it: a `FakeClock` has the test decide when they are over. */
  readonly clock?: Clock;
}

/**
 * A network on 127.0.0.1 in front of a live server, on which things go wrong: as a seed decides, or as the test says.
 * Throws `ConfigurationError` for an option out of its range.
 *
 * @example
 * await using server = await liveServer(application, { serve });
 * await using network = await faultyNetwork(server, { seed: 7, drop: 30, delay: 30 });
 * await using client = await network.connect("/ws/chat/lobby/");
 * network.cut();
 * expect(await client.receiveClose()).toMatchObject({ code: 1006 });
 */
export async function faultyNetwork(server: LiveAddress, options: FaultyNetworkOptions = {}): Promise<FaultyNetwork> {
  const { clock = systemClock, ...faults } = options;
  const plan = faultPlan({ seed: 0, ...faults });
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return new FaultyNetwork(server, listener, plan, clock);
}

/** The server's address beyond the network, with the same clients as the server itself. */
export class FaultyNetwork extends LiveAddress implements AsyncDisposable {
  /** What was decided for each connection, in the order of their coming. */
  readonly faults: Fault[] = [];
  readonly #listener: TcpServer;
  readonly #target: number;
  readonly #plan: () => Fault;
  readonly #clock: Clock;
  readonly #connections = new Set<FaultyConnection>();
  #frozen = false;

  constructor(server: LiveAddress, listener: TcpServer, plan: () => Fault, clock: Clock) {
    const { protocol } = new URL(server.url);
    // It listens on TCP, where the address is no string.
    super(server, `${protocol}//127.0.0.1:${(listener.address() as AddressInfo).port}`);
    this.#listener = listener;
    this.#target = server.port;
    this.#plan = plan;
    this.#clock = clock;
    listener.on("connection", (socket) => this.#connect(socket));
  }

  /** How many connections go through it. */
  get open(): number {
    return this.#connections.size;
  }

  /** Resets every connection that is open; new ones can be made. */
  cut(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** Nothing goes through in either direction any more, and nobody is told. For new connections too, until `thaw()`. */
  freeze(): void {
    this.#frozen = true;
    for (const connection of this.#connections) connection.freeze();
  }

  /** What waits goes through, and whatever comes. */
  thaw(): void {
    this.#frozen = false;
    for (const connection of this.#connections) connection.thaw();
  }

  /** Takes no more connections and cuts those that are open. */
  async close(): Promise<void> {
    const gone = [...this.#connections].map((connection) => connection.gone);
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.cut();
    await Promise.all([closed, ...gone]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connect(client: Socket): void {
    const server = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    for (const socket of [client, server]) socket.setNoDelay(true);
    const fault = this.#plan();
    this.faults.push(fault);
    const connection = new FaultyConnection(client, server, fault, this.#clock, this.#frozen);
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }
}
