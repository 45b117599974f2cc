import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A TCP client that says exactly what a test wants said, in Latin-1, and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  #received = "";
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      this.#received += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      socket.emit("data", "");
    });
  }

  static async send(port: number, bytes: string): Promise<RawClient> {
    const client = new RawClient(connect({ port, host: "127.0.0.1" }));
    onTestFinished(() => void client.socket.destroy());
    await once(client.socket, "connect");
    client.write(bytes);
    return client;
  }

  write(bytes: string | Uint8Array): void {
    if (typeof bytes === "string") this.socket.write(bytes, "latin1");
    else this.socket.write(bytes);
  }

  /** Resolves with all that came back, once it ends with `end`. Rejects if the connection ends before. */
  async until(end: string): Promise<string> {
    while (!this.#received.endsWith(end)) {
      if (this.#ended) throw new Error(`expected ${JSON.stringify(end)}, got the end after ${this.#received}`);
      await once(this.socket, "data");
    }
    return this.#received;
  }

  /** Resolves with all that came back, once the server has ended the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) await once(this.socket, "data");
    return this.#received;
  }
}

export const request = (lines: readonly string[] = [], method = "GET", path = "/"): string =>
  [`${method} ${path} HTTP/1.1`, "Host: test.example", ...lines, "", ""].join("\r\n");

export const handshake = (path = "/", lines: readonly string[] = []): string =>
  request(
    [
      ...lines,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
    ],
    "GET",
    path,
  );
