import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FuzzCase } from "./fuzz-cases.js";
import { theEnd, type Verdict } from "./fuzz-judge.js";
import type { Pulse } from "./fuzz-pulse.js";

/** Beats after which a server that owes nothing is taken to be silent. */
const patience = 2;
/** Beats after which a server that owes something is taken to have forgotten it. */
const longPatience = 200;

/** What came of a case. */
export interface Exchange {
  readonly verdict: Verdict;
  readonly received: Buffer;
}

type Judge = (received: Buffer) => Verdict;

/** Says on a connection of its own what the case says, and hears what comes back until nothing more is to come. */
export async function exchange(port: number, fuzzCase: FuzzCase, pulse: Pulse, judge: Judge): Promise<Exchange> {
  const { bytes, cuts, waitsAfter, end } = fuzzCase;
  const client = await FuzzClient.connect(port);
  try {
    let start = 0;
    for (const cut of [...cuts, ...(waitsAfter === undefined ? [] : [waitsAfter]), bytes.length].sort(
      (a, b) => a - b,
    )) {
      if (cut > start) {
        client.socket.write(bytes.subarray(start, cut));
        await nextTurn();
      }
      if (cut === waitsAfter) await client.wait(pulse, longPatience, () => client.received.includes("\r\n\r\n"));
      start = cut;
    }
    if (end === "reset") client.socket.resetAndDestroy();
    if (end === "half close") client.socket.end();
    const verdict = await settled(client, fuzzCase, pulse, judge);
    return { verdict, received: client.received };
  } finally {
    client.socket.destroy();
    await client.gone;
  }
}

async function settled(
  client: FuzzClient,
  { deserves, waitsAfter, mayBeCut, end }: FuzzCase,
  pulse: Pulse,
  judge: Judge,
) {
  // Nobody is owed anything who has left, or who went on before the handshake was answered (RFC 6455 4.1).
  const isOwed = end === "close" && (deserves !== 101 || waitsAfter !== undefined);
  await client.wait(pulse, patience, () => false);
  let verdict = judge(client.received);
  if (!isOwed || verdict.owes === undefined) return verdict;
  await client.wait(pulse, longPatience, () => {
    verdict = judge(client.received);
    return verdict.owes === undefined || verdict.fault !== undefined;
  });
  verdict = judge(client.received);
  const { owes, fault } = verdict;
  if (owes === undefined || fault !== undefined) return verdict;
  if (client.ended && (mayBeCut || owes === theEnd)) return verdict;
  return { ...verdict, fault: `expected ${owes}, got ${client.ended ? theEnd : "silence"}` };
}

class FuzzClient {
  readonly socket: Socket;
  /** Resolves when nothing is left of the connection on this side. */
  readonly gone: Promise<void>;
  ended = false;
  #received = Buffer.alloc(0);
  #news = true;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#news = true;
    });
    const end = (): void => {
      this.ended = true;
    };
    socket.on("end", end);
    // A reset is one of the ways a connection may end.
    socket.on("error", end);
    this.gone = new Promise((resolve) => {
      socket.once("close", () => {
        end();
        resolve();
      });
    });
  }

  static connect(port: number): Promise<FuzzClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new FuzzClient(socket));
      });
    });
  }

  get received(): Buffer {
    return this.#received;
  }

  /** Waits for the end, for so many beats, or until what has been received is enough. */
  async wait(pulse: Pulse, beats: number, isEnough: () => boolean): Promise<void> {
    this.#news = true;
    for (let beat = 0; beat < beats && !this.ended; beat++) {
      if (this.#news && isEnough()) return;
      this.#news = false;
      await pulse.beat();
    }
  }
}
