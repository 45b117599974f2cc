import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InMemoryChannelLayer, silentLogger } from "@sluice/core";
import { expect, onTestFinished } from "vitest";
import { closeOf, frame, opcode } from "./frame.js";
import { body, fuzzApplication, group } from "./fuzz-application.js";
import { fuzzCase } from "./fuzz-cases.js";
import { type Exchange, exchange } from "./fuzz-client.js";
import { type FuzzContract, forgiving } from "./fuzz-contract.js";
import { maxMessageSize } from "./fuzz-frames.js";
import { judge } from "./fuzz-judge.js";
import { Pulse } from "./fuzz-pulse.js";
import type { TransportServer } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { request } from "./request-text.js";

const concurrency = 128;

/** A server, and what has come of the cases that were tried on it. */
export class FuzzTarget {
  readonly errors: object[] = [];
  readonly account = { answers: 0, refusals: 0, webSockets: 0, echoes: 0, closes: 0 };
  readonly #faults: string[] = [];
  readonly #seed: number;
  readonly #lacks: NonNullable<FuzzContract["lacks"]>;
  readonly #layer = new InMemoryChannelLayer();
  #server!: TransportServer;
  #pulse!: Pulse;

  private constructor(seed: number, { lacks = {} }: FuzzContract) {
    this.#seed = seed;
    this.#lacks = lacks;
  }

  static async start(contract: FuzzContract, seed: number): Promise<FuzzTarget> {
    const target = new FuzzTarget(seed, contract);
    const error = (fields: object, message: string): void => void target.errors.push({ message, ...fields });
    target.#server = await contract.serve(fuzzApplication(target.#layer), {
      port: 0,
      logger: { ...silentLogger, error },
      limits: { maxMessageSize },
    });
    onTestFinished(() => target.#server.close({ deadline: 0 }));
    target.#pulse = await Pulse.start(target.#server.port, body);
    onTestFinished(() => target.#pulse.stop());
    return target;
  }

  /** Tries the cases from `first` to `end`, that one not included, many at a time. Rejects with what was wrong. */
  async run(first: number, end: number): Promise<void> {
    let next = first;
    const work = async (): Promise<void> => {
      while (next < end && this.#faults.length === 0) await this.#try(next++);
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, end - first) }, work));
    if (this.#faults.length > 0) throw new Error(this.#faults.join("\n\n"));
  }

  /** Waits until nobody is connected or a member, and says what is in use then. */
  async quiet(): Promise<Usage> {
    const { http, websocket } = this.#server.connections;
    let left = { http, websocket, ...this.#layer.counts };
    for (let beat = 0; beat < 1_000 && Object.values(left).some((count) => count > 0); beat++) {
      await this.#pulse.beat();
      left = { ...this.#server.connections, ...this.#layer.counts };
    }
    expect(left, "what is left when all clients have gone").toEqual({ http: 0, websocket: 0, channels: 0, groups: 0 });
    return await bytesInUse();
  }

  /** A request and a WebSocket as ever, which is a member while it lasts. */
  async stillServes(): Promise<void> {
    const { port } = this.#server;
    const response = await (await RawClient.send(port, request("GET", "/"))).response();
    expect({ status: response.status, body: response.body.toString() }).toEqual({ status: 200, body });
    const client = await RawClient.upgrade(port);
    client.write(frame(opcode.text, "still there?"));
    expect((await client.frame()).payload.toString()).toBe("still there?");
    expect(await this.#layer.groupSend(group, { type: "nobody.listens" })).toEqual({ delivered: 1, dropped: 0 });
    client.write(frame(opcode.close));
    expect(closeOf(await client.frame()).code).toBe(1005);
    client.socket.destroy();
    await this.quiet();
    expect(await this.#layer.groupSend(group, { type: "nobody.listens" })).toEqual({ delivered: 0, dropped: 0 });
  }

  async #try(caseNumber: number): Promise<void> {
    const made = forgiving(fuzzCase(this.#seed, caseNumber), this.#lacks);
    const judgement = { lacks: this.#lacks, body };
    const { verdict, received } = await exchange(this.#server.port, made, this.#pulse, (bytes) =>
      judge(made, bytes, judgement),
    );
    this.#note(verdict);
    if (verdict.fault === undefined) return;
    const { bytes, title, end, cuts, waitsAfter } = made;
    this.#faults.push(
      [
        `FUZZ_SEED=${this.#seed} FUZZ_ONLY=${caseNumber}: ${title}, then ${end}: ${verdict.fault}`,
        `sent (pieces end at ${cuts.join(", ") || "the end"}, waits at ${waitsAfter ?? "no place"}): ${bytes.toString("hex")}`,
        `received: ${received.toString("hex")}`,
      ].join("\n"),
    );
  }

  #note({ got, echoes = 0, closeCode }: Exchange["verdict"]): void {
    if (got === "answer") this.account.answers++;
    if (got === "refusal") this.account.refusals++;
    if (got === "WebSocket") this.account.webSockets++;
    if (echoes > 0) this.account.echoes++;
    if (closeCode !== undefined) this.account.closes++;
  }
}

export interface Usage {
  readonly heap: number;
  readonly resident: number;
}

async function bytesInUse(): Promise<Usage> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What native code holds is let go in a later turn.
  for (let round = 0; round < 4; round++) {
    collect();
    await nextTurn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
