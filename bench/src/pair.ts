import type { DriverAnswers, Order } from "./driver/main.js";
import { pause } from "./measure/now.js";
import type { Sample } from "./measure/rounds.js";
import type { Child } from "./processes/child.js";
import type { Children } from "./processes/children.js";
import type { Row } from "./rows/row.js";
import type { Contestant } from "./servers/contestants.js";
import type { ServerAnswers } from "./servers/present.js";

/** Milliseconds in which a server says that it is alive. */
const deathLimit = 5_000;

const driverModule = new URL("./driver/main.js", import.meta.url);

/** A contestant's process, and the one that plays its clients. */
export class Pair {
  readonly #contestant: string;
  readonly #server: Child<ServerAnswers>;
  readonly #driver: Child<DriverAnswers>;
  readonly #port: number;

  private constructor(contestant: string, server: Child<ServerAnswers>, driver: Child<DriverAnswers>, port: number) {
    this.#contestant = contestant;
    this.#server = server;
    this.#driver = driver;
    this.#port = port;
  }

  /** Resolves when the server has refused whom it must. */
  static async start(children: Children, { name, module }: Contestant): Promise<Pair> {
    const server = await children.start<ServerAnswers>(name, module);
    const driver = await children.start<DriverAnswers>(`the driver of ${name}`, driverModule);
    const pair = new Pair(name, server, driver, await server.ask("port"));
    try {
      await driver.ask("checkGate", { contestant: name, port: pair.#port });
      return pair;
    } catch (error) {
      await pair.end();
      throw error;
    }
  }

  /** Resolves when the code of the server that every client needs has been run so often that it is compiled. */
  warmUp(): Promise<void> {
    return this.#driver.ask("warmUp", { contestant: this.#contestant, port: this.#port });
  }

  /** Rejects if the server is wrong, slow or dead. */
  async sample(order: Omit<Order, "contestant" | "port">, resource: Row["resource"]): Promise<Sample> {
    await this.#driver.ask("prepare", { ...order, contestant: this.#contestant, port: this.#port });
    const before = await this.#server.ask(resource);
    await this.#driver.ask("run");
    const cost = (await this.#server.ask(resource)) - before;
    return { ...(await this.#driver.ask("finish")), cost };
  }

  /** How the server has ended, for errors: to the driver that is a connection that was lost. */
  async fate(): Promise<string> {
    const answered = this.#server.ask("port").then(
      () => "",
      (reason: Error) => `; ${reason.message}`,
    );
    return Promise.race([answered, pause(deathLimit).then(() => "; and it does not answer any more")]);
  }

  async end(): Promise<void> {
    await Promise.all([this.#server.end(), this.#driver.end()]);
  }
}
