import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type {
  AcceptOptions,
  Cancel,
  HeaderList,
  ProtocolServer,
  RequestHead,
  WebSocketSession,
  WebSocketTransport,
  WriteStatus,
} from "@sluice/core";
import type { WebSocket } from "ws";
import { type ConnectionSettings, closeTimeout } from "./connection-settings.js";
import { endSoon } from "./end-of-socket.js";
import type { Beating, Heartbeat } from "./heartbeat.js";
import { ownBytes } from "./own-bytes.js";
import { PendingHandshake } from "./pending-handshake.js";
import { wholeResponse } from "./response.js";
import type { Upgrader } from "./upgrader.js";

/** What all WebSockets of a server share. */
export interface WebSocketSettings extends ConnectionSettings {
  readonly upgrader: Upgrader;
  readonly heartbeat: Heartbeat;
}

/** Bytes that wait before the application is asked to wait, too. */
const highWater = 16 * 1024;

/** Bytes of control frames that may wait behind the last message: nobody tells when they have gone. */
const controlFrames = 256;

/** What Node.js has no other name for, and could rename: without it, progress shows only in whole writes. */
interface StreamInside {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
  readonly _writableState?: { readonly writelen?: number };
}

/** One WebSocket, from its handshake on. */
export class WebSocketConnection implements WebSocketTransport, Beating {
  readonly #settings: WebSocketSettings;
  readonly #socket: Socket;
  #session: WebSocketSession | undefined;
  /** Until the handshake is answered or the client has gone. */
  #pending: PendingHandshake | undefined;
  /** From then on, until the WebSocket is closed. */
  #webSocket: WebSocket | undefined;
  #behind = false;
  /** How it is to end as soon as the client has taken what waits for it. */
  #closing: { readonly code: number; readonly reason: string } | undefined;
  /** What waited for the client when the time for the last of it began anew. */
  #waiting = 0;
  #cancelCut: Cancel | undefined;
  /** How it ended, if it did so before the session was at hand. */
  #ended: { readonly code: number; readonly reason: string } | undefined;

  /** `early` is what came after the request in the same segment. */
  constructor(request: IncomingMessage, socket: Socket, early: Buffer, settings: WebSocketSettings) {
    this.#socket = socket;
    this.#settings = settings;
    this.#pending = new PendingHandshake(request, socket, early);
  }

  /** Runs the application on the handshake. Call it in the callback that brought the request. */
  open(server: ProtocolServer, head: RequestHead): void {
    this.#session = server.openWebSocket(this, head);
    if (this.#ended !== undefined) this.#session?.closed(this.#ended.code, this.#ended.reason);
    else this.#pending?.watch(this.#settings.guard(() => this.#left()));
  }

  /** A stream counts what it has in hand until the system has all of it, so that is left to its handle, which knows. */
  get buffered(): number {
    const { _handle, _writableState } = this.#socket as unknown as StreamInside;
    const inHand = _writableState?.writelen ?? 0;
    return (this.#webSocket?.bufferedAmount ?? 0) - inHand + (_handle?.writeQueueSize ?? inHand);
  }

  accept(options: AcceptOptions): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const webSocket = pending.accept(this.#settings.upgrader, options);
    if (webSocket === undefined) {
      this.#end(1006, "");
      return;
    }
    this.#webSocket = webSocket;
    const { guard, heartbeat } = this.#settings;
    webSocket.on(
      "message",
      guard((data, isBinary) => this.#message(data as Buffer, isBinary)),
    );
    webSocket.on(
      "close",
      guard((code: number, reason: Buffer) => this.#closed(code, code === 1006 ? "" : reason.toString())),
    );
    // A client that breaks the protocol is told why, and may take its time to go.
    webSocket.on(
      "error",
      guard(() => this.#closed(1006, "")),
    );
    heartbeat.add(this);
  }

  deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    pending.leave();
    endSoon(this.#socket, wholeResponse(status, headers, body));
  }

  write(data: string | Uint8Array): WriteStatus {
    const webSocket = this.#webSocket;
    // While it closes, what is sent would be counted and never go out.
    if (webSocket === undefined || webSocket.readyState !== webSocket.OPEN) return "ok";
    const { maxBackpressure } = this.#settings;
    if (this.#behind && webSocket.bufferedAmount + Buffer.byteLength(data) > maxBackpressure) return "dropped";
    // A copy, as what the socket does not take at once waits, and the application may write to its own.
    webSocket.send(typeof data === "string" ? data : Buffer.from(data), this.#written);
    this.#behind ||= webSocket.bufferedAmount >= Math.min(highWater, maxBackpressure);
    return this.#behind ? "buffered" : "ok";
  }

  /** A client that is behind gets its close frame when it has caught up: from then on it has limited time to answer. */
  close(code: number, reason: string): void {
    const webSocket = this.#webSocket;
    if (webSocket === undefined) return;
    this.#settings.heartbeat.delete(this);
    // The client's answer is behind whatever else it has sent.
    webSocket.resume();
    this.#closing = { code, reason };
    // What is still being compressed has yet to be written.
    if (this.#behind || webSocket.bufferedAmount !== this.#socket.writableLength) this.#cutInTime();
    else this.#sendClose(webSocket, code, reason);
  }

  pause(): void {
    this.#webSocket?.pause();
  }

  resume(): void {
    this.#webSocket?.resume();
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get isPaused(): boolean {
    return this.#webSocket?.isPaused ?? false;
  }

  ping(): void {
    if (this.#webSocket?.readyState === this.#webSocket?.OPEN) this.#webSocket?.ping();
  }

  cut(): void {
    const webSocket = this.#webSocket;
    this.#closed(1006, "");
    webSocket?.terminate();
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#webSocket === undefined) return;
    this.#session?.message(isBinary ? ownBytes(data) : data.toString(), data.byteLength);
  }

  readonly #written = (): void => {
    const webSocket = this.#webSocket;
    if (webSocket === undefined || webSocket.bufferedAmount > controlFrames) return;
    if (this.#closing !== undefined) {
      this.#cancelCut?.();
      this.#sendClose(webSocket, this.#closing.code, this.#closing.reason);
    } else if (this.#behind) {
      this.#behind = false;
      this.#session?.drained();
    }
  };

  #sendClose(webSocket: WebSocket, code: number, reason: string): void {
    webSocket.close(code, reason);
    // Nothing comes after the close frame, and many a client ends its side only then.
    this.#socket.end();
    // The client may never answer.
    this.#socket.once(
      "finish",
      this.#settings.guard(() => this.#closed(code, reason)),
    );
  }

  /** Unless the client takes some of what waits for it. */
  #cutInTime(): void {
    const { clock, guard } = this.#settings;
    this.#waiting = this.buffered;
    this.#cancelCut = clock.after(
      closeTimeout,
      guard(() => {
        if (this.buffered < this.#waiting) this.#cutInTime();
        else this.cut();
      }),
    );
  }

  #closed(code: number, reason: string): void {
    if (this.#webSocket === undefined) return;
    this.#webSocket = undefined;
    this.#cancelCut?.();
    this.#settings.heartbeat.delete(this);
    this.#end(code, reason);
  }

  /** The client has gone before the handshake was answered. */
  #left(): void {
    if (this.#pending === undefined) return;
    this.#pending = undefined;
    this.#socket.destroy();
    this.#end(1006, "");
  }

  #end(code: number, reason: string): void {
    if (this.#session === undefined) this.#ended = { code, reason };
    else this.#session.closed(code, reason);
  }
}
