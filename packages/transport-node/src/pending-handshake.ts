import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { AcceptOptions } from "@sluice/core";
import type { WebSocket } from "ws";
import type { Upgrader } from "./upgrader.js";

/** Bytes kept of a client that sends before it is answered. */
const maxEarlyBytes = 64 * 1024;

const ignore = (): void => {};

/** The socket of a handshake that the application has not answered yet. */
export class PendingHandshake {
  readonly #request: IncomingMessage;
  readonly #socket: Socket;
  /** What the client has sent too early; it is the WebSocket's. */
  #early: Buffer;
  #onGone: (() => void) | undefined;

  constructor(request: IncomingMessage, socket: Socket, early: Buffer) {
    this.#request = request;
    this.#socket = socket;
    this.#early = early;
    // Without a listener an error would end the process. "close" follows it.
    socket.on("error", ignore);
  }

  /** Calls `onGone` when the client ends the connection, which only reading tells. */
  watch(onGone: () => void): void {
    this.#onGone = onGone;
    this.#socket.on("data", this.#keep);
    this.#socket.once("end", onGone);
    this.#socket.once("close", onGone);
  }

  leave(): void {
    if (this.#onGone === undefined) return;
    this.#socket.off("data", this.#keep);
    this.#socket.off("end", this.#onGone);
    this.#socket.off("close", this.#onGone);
  }

  /** Undefined if the handshake cannot be completed. */
  accept(upgrader: Upgrader, options: AcceptOptions): WebSocket | undefined {
    this.leave();
    const webSocket = upgrader.upgrade(this.#request, this.#socket, this.#early, options);
    if (webSocket === undefined) return undefined;
    this.#socket.off("error", ignore);
    this.#socket.resume();
    return webSocket;
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early = Buffer.concat([this.#early, chunk]);
    if (this.#early.length > maxEarlyBytes) this.#socket.pause();
  };
}
