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
import { blankRemainder } from "./blank-remainder.js";
import { type ConnectionSettings, closeTimeout } from "./connection-settings.js";
import type { NativeResponse, NativeWebSocket, UpgradeContext } from "./native.js";
import { respond, responseHead, wellFormed, writeHeaders } from "./response.js";

/** What a WebSocket carries on the native side, where an object's own properties are copied one by one. */
export interface UserData {
  readonly connection: WebSocketConnection;
}

/** Half the cost of a Buffer's toString. The native side has checked that it is UTF-8; a byte order mark is text here. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What the native side needs for the 101. */
export interface Upgrade {
  readonly key: string;
  readonly context: UpgradeContext;
  /** What the client offers in Sec-WebSocket-Extensions, as far as it may be taken up. */
  readonly extensions: string;
}

/** Bytes or characters from which on a message is compressed: below it there is little to gain. */
const compressionThreshold = 1024;

/** Bytes or characters that are kept at most: as much as the native side gathers for one system call. */
const mostKept = 16 * 1024;

/** One WebSocket, from its handshake on. */
export class WebSocketConnection implements WebSocketTransport {
  readonly #settings: ConnectionSettings;
  readonly #isLast: boolean;
  #session: WebSocketSession | undefined;
  /** Until the handshake is answered or the client has gone. */
  #response: NativeResponse | undefined;
  #upgrade: Upgrade | undefined;
  /** Still in the callback that brought the request. */
  #isNew = true;
  /** From then on, until the WebSocket is closed. */
  #socket: NativeWebSocket<UserData> | undefined;
  #behind = false;
  /** In the callback that brought a message: what is written then goes out together when it returns. */
  #isHearing = false;
  /** What goes out at the end of this turn of the event loop, and how long it is together, in bytes or characters. */
  #kept: (string | Uint8Array)[] | undefined;
  #keptLength = 0;
  /** How it is to end as soon as the client has taken what waits for it. */
  #closing: { readonly code: number; readonly reason: string } | undefined;
  /** Bytes that waited for the client when the time for the last of them began anew. */
  #waiting = 0;
  #cancelCut: Cancel | undefined;
  /** How it ended, if it did so before the session was at hand. */
  #ended: { readonly code: number; readonly reason: string } | undefined;

  /**
   * `upgrade` is undefined where the native side saw no handshake, for want of a key: then core refuses it. With `isLast`,
   * no other request follows on the connection if the handshake is refused: see `HttpConnection`.
   */
  constructor(response: NativeResponse, upgrade: Upgrade | undefined, settings: ConnectionSettings, isLast: boolean) {
    this.#response = response;
    this.#upgrade = upgrade;
    this.#settings = settings;
    this.#isLast = isLast;
  }

  /** Runs the application on the handshake. Call it in the callback that brought the request. */
  open(server: ProtocolServer, head: RequestHead): void {
    // First of all: without it, the native side ends the process when the callback returns.
    this.#response?.onAborted(this.#settings.guard(() => this.#aborted()));
    this.#session = server.openWebSocket(this, head);
    this.#isNew = false;
    if (this.#ended !== undefined) this.#session?.closed(this.#ended.code, this.#ended.reason);
  }

  get buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  accept({ subprotocol = "", headers }: AcceptOptions): void {
    const response = this.#response;
    const upgrade = this.#upgrade;
    if (response === undefined || upgrade === undefined) return;
    this.#response = undefined;
    this.#upgrade = undefined;
    response.cork(() => {
      // The status has to stand before the first header, or that would make it a 200.
      response.writeStatus("101 Switching Protocols");
      writeHeaders(
        response,
        headers.filter(([name]) => name.toLowerCase() !== "upgrade"),
      );
      const { key, extensions, context } = upgrade;
      response.upgrade({ connection: this } satisfies UserData, key, subprotocol, extensions, context);
      if (!this.#isNew) blankRemainder();
    });
  }

  deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    if (this.#isLast) setImmediate(this.#settings.guard(() => this.#deny(status, headers, body)));
    else this.#deny(status, headers, body);
  }

  /**
   * The limit is kept here, not by the native side: that one would drop the close frame, too, which says why. So the
   * client gets what it was sent, and then its 1013.
   */
  write(data: string | Uint8Array): WriteStatus {
    const socket = this.#socket;
    if (socket === undefined) return "ok";
    if (this.#behind) {
      const isTooMuch = socket.getBufferedAmount() + Buffer.byteLength(data) > this.#settings.maxBackpressure;
      return isTooMuch ? "dropped" : this.#send(socket, data);
    }
    if (this.#isHearing && this.#kept === undefined) return this.#send(socket, data);
    // A copy, as the bytes are the application's to write to when this returns.
    // Not by slice(), which of a Buffer is a view.
    this.#keep(typeof data === "string" ? data : new Uint8Array(data));
    if (this.#keptLength >= mostKept) this.#sendKept(socket);
    return this.#behind ? "buffered" : "ok";
  }

  /** The turn of the event loop in which something was kept is over. */
  flush(): void {
    if (this.#socket === undefined) return;
    this.#sendKept(this.#socket);
    if (this.#behind) this.#session?.fellBehind();
  }

  /**
   * A client that is behind gets its close frame when it has caught up: the native side tells nothing more of a WebSocket
   * once it is ended.
   */
  close(code: number, reason: string): void {
    if (this.#socket !== undefined) this.#sendKept(this.#socket);
    if (!this.#behind) {
      this.#socket?.end(code, reason);
      return;
    }
    if (this.#closing !== undefined) return;
    this.#closing = { code, reason };
    this.#cutInTime();
  }

  /** The native WebSocket is there. */
  opened(socket: NativeWebSocket<UserData>): void {
    this.#socket = socket;
  }

  message(message: ArrayBuffer, isBinary: boolean): void {
    // The buffer is emptied when this returns, so both take a copy. Its own slice() would take twice as long.
    const data = isBinary ? new Uint8Array(message).slice() : decoder.decode(message);
    this.#isHearing = true;
    this.#session?.message(data, message.byteLength);
    this.#isHearing = false;
  }

  /** In a turn of its own: what is written inside the native callback and not taken whole would never be reported drained. */
  drained(): void {
    setImmediate(this.#settings.guard(() => this.#caughtUp()));
  }

  /** Also runs inside `close`, and with it inside the application's own send. */
  closed(code: number, reason: ArrayBuffer): void {
    this.#socket = undefined;
    this.#cancelCut?.();
    // With 1006 the reason is the native side's own remark, not the client's.
    this.#end(code, code === 1006 ? "" : Buffer.from(reason).toString());
  }

  #keep(data: string | Uint8Array): void {
    if (this.#kept === undefined) {
      // One that is pushed into an empty array takes the memory of seventeen, and most are alone.
      this.#kept = [data];
      this.#keptLength = data.length;
      this.#settings.outbox.add(this);
    } else {
      this.#kept.push(data);
      this.#keptLength += data.length;
    }
  }

  #sendKept(socket: NativeWebSocket<UserData>): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    this.#kept = undefined;
    if (kept.length === 1) {
      this.#send(socket, kept[0] as string | Uint8Array);
      return;
    }
    socket.cork(() => {
      for (const data of kept) this.#send(socket, data);
    });
    // What is gathered counts as sent, and only the end of the cork offers it to the system.
    if (socket.getBufferedAmount() > 0) this.#behind = true;
  }

  #send(socket: NativeWebSocket<UserData>, data: string | Uint8Array): WriteStatus {
    const compress = this.#settings.compression && data.length >= compressionThreshold;
    const isTaken = socket.send(wellFormed(data), typeof data !== "string", compress) !== 0;
    if (!isTaken) this.#behind = true;
    return this.#behind ? "buffered" : "ok";
  }

  /** Unless the client takes some of what waits for it. */
  #cutInTime(): void {
    const { clock, guard } = this.#settings;
    this.#waiting = this.buffered;
    this.#cancelCut = clock.after(
      closeTimeout,
      guard(() => {
        if (this.buffered < this.#waiting) this.#cutInTime();
        else this.#socket?.close();
      }),
    );
  }

  #caughtUp(): void {
    if (this.#socket?.getBufferedAmount() !== 0) return;
    this.#behind = false;
    if (this.#closing === undefined) this.#session?.drained();
    else this.#socket.end(this.#closing.code, this.#closing.reason);
  }

  /** The client has gone before the handshake was answered. */
  #aborted(): void {
    if (this.#response === undefined) return;
    this.#response = undefined;
    this.#end(1006, "");
  }

  #deny(status: number, headers: HeaderList, body: Uint8Array | string): void {
    const response = this.#response;
    if (response === undefined) return;
    this.#response = undefined;
    respond(response, responseHead("GET", status, headers, this.#isLast), body);
  }

  #end(code: number, reason: string): void {
    if (this.#session === undefined) this.#ended = { code, reason };
    else this.#session.closed(code, reason);
  }
}
