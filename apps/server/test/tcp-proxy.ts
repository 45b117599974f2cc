import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Stands between a server and its database, to make it hang or go away. */
export interface TcpProxy {
  /** The URL it was made for, with this way there. */
  readonly url: string;
  /** Takes everything and hands on nothing, connections included, until `thaw()`. */
  freeze(): void;
  thaw(): void;
  /** Cuts every connection and refuses new ones, until `revive()`. */
  die(): Promise<void>;
  revive(): Promise<void>;
  close(): Promise<void>;
}

export async function tcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [one, other] of [pair, [far, near]] as const) {
      one.on("data", (chunk) => other.write(chunk));
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        pairs.delete(pair);
      });
      if (frozen) one.pause();
    }
  });
  const listen = async (on: number): Promise<number> => {
    server.listen(on, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const own = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${own}`;

  async function die(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  return {
    url: url.href,
    freeze() {
      frozen = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    die,
    async revive() {
      await listen(own);
    },
    close: die,
  };
}
