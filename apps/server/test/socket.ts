import { once } from "node:events";
import WebSocket from "ws";

/** A WebSocket client whose messages are taken one by one. */
export interface Socket {
  readonly raw: WebSocket;
  send(content: unknown): void;
  /** The next message, as JSON. */
  next(): Promise<unknown>;
  /** The close frame; what came before it stays to be taken. */
  closed(): Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

export interface SocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
  readonly origin?: string;
}

/** Opens a connection; rejects with `Unexpected server response: <status>` where it is refused. */
export async function openSocket(url: string, options: SocketOptions = {}): Promise<Socket> {
  const raw = new WebSocket(url.replace(/^http/, "ws"), [...(options.subprotocols ?? [])], {
    headers: options.headers ?? {},
    ...(options.origin === undefined ? {} : { origin: options.origin }),
  });
  const messages: string[] = [];
  const takers: ((message: string) => void)[] = [];
  raw.on("message", (data) => {
    const taker = takers.shift();
    if (taker === undefined) messages.push(String(data));
    else taker(String(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    raw.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await once(raw, "open");
  return {
    raw,
    send: (content) => raw.send(typeof content === "string" ? content : JSON.stringify(content)),
    async next() {
      const message =
        messages.shift() ?? (await Promise.race([new Promise<string>((resolve) => takers.push(resolve)), closed]));
      if (typeof message !== "string")
        throw new Error(`expected a message, got close ${message.code} "${message.reason}"`);
      return JSON.parse(message);
    },
    closed: () => closed,
    async close() {
      raw.close();
      await closed;
    },
  };
}

/** The status with which a handshake is refused. */
export async function refusedWith(url: string, options: SocketOptions = {}): Promise<number> {
  try {
    const socket = await openSocket(url, options);
    await socket.close();
  } catch (error) {
    const [, status] =
      /^Unexpected server response: (\d+)$/.exec(String(error instanceof Error ? error.message : error)) ?? [];
    if (status !== undefined) return Number(status);
    throw error;
  }
  throw new Error("expected the handshake to be refused, but it was accepted");
}
