/**
 * uWebSockets.js as this adapter uses it: the few calls it makes. Its own type declarations stay outside, as they differ
 * between the official package and its repacks.
 */

/** What `import * as uws from "uWebSockets.js"` gives. Only its outline: the rest is declared by the package itself. */
export interface UWebSockets {
  App(options?: object): object;
  SSLApp(options: object): object;
  us_listen_socket_close(socket: object): void;
  us_socket_local_port(socket: object): number;
}

export type ListenSocket = object & { readonly "~listenSocket"?: never };
export type UpgradeContext = object & { readonly "~upgradeContext"?: never };

/** Lives on the native stack: not to be used after the callback that brought it. */
export interface NativeRequest {
  /** Folded to lower case. */
  getMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
  getHeader(name: string): string;
  forEach(visit: (name: string, value: string) => void): void;
}

/** Not to be touched after it was ended, upgraded, closed or aborted: every call throws then. */
export interface NativeResponse {
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string | Uint8Array): unknown;
  /** Chunked. False if some of it waits in a buffer. */
  write(chunk: Uint8Array): boolean;
  /** Part of a body whose whole length is known. Takes as much as the socket does: see `getWriteOffset`. */
  tryEnd(chunk: Uint8Array, length: number): [taken: boolean, complete: boolean];
  getWriteOffset(): number;
  end(body?: Uint8Array | string, closeConnection?: boolean): unknown;
  endWithoutBody(): unknown;
  onAborted(listener: () => void): unknown;
  onData(listener: (chunk: ArrayBuffer, last: boolean) => void): unknown;
  onWritable(listener: () => boolean): unknown;
  getRemoteAddressAsText(): ArrayBuffer;
  /** Not in older releases. */
  getRemotePort?(): number;
  /** Empty without a PROXY protocol v2 header. Not in builds that know nothing of it. */
  getProxiedRemoteAddressAsText?(): ArrayBuffer;
  /** Not in older releases. */
  getProxiedRemotePort?(): number;
  cork(writes: () => void): unknown;
  pause(): void;
  resume(): void;
  close(): unknown;
  upgrade(userData: object, key: string, subprotocol: string, extensions: string, context: UpgradeContext): void;
}

export interface NativeWebSocket<UserData> {
  getUserData(): UserData;
  /** 1: sent, 0: buffered, 2: dropped, which cannot be without a native limit. */
  send(data: Uint8Array | string, isBinary: boolean, compress: boolean): number;
  /** Gathers what is sent within, for one system call. */
  cork(sends: () => void): unknown;
  /** Runs the close listener before it returns; the object must not be used from then on. */
  end(code: number, reason: string): void;
  /** The same without a close frame, and without what waits to be sent. */
  close(): void;
  getBufferedAmount(): number;
}

export interface WebSocketBehavior<UserData> {
  readonly maxPayloadLength: number;
  readonly maxBackpressure: number;
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  readonly compression: number;
  upgrade(response: NativeResponse, request: NativeRequest, context: UpgradeContext): void;
  open(socket: NativeWebSocket<UserData>): void;
  message(socket: NativeWebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void;
  drain(socket: NativeWebSocket<UserData>): void;
  close(socket: NativeWebSocket<UserData>, code: number, reason: ArrayBuffer): void;
}

export interface NativeApp {
  any(pattern: string, handler: (response: NativeResponse, request: NativeRequest) => void): unknown;
  ws<UserData>(pattern: string, behavior: WebSocketBehavior<UserData>): unknown;
  listen(host: string, port: number, options: number, done: (socket: ListenSocket | false) => void): unknown;
  /** Takes whatever is at `path` away first, even what is no socket. */
  listen_unix(done: (socket: ListenSocket | false) => void, path: string): unknown;
  /** Cuts whatever is still connected. */
  close(): unknown;
}

export interface NativeModule {
  App(): NativeApp;
  SSLApp(options: { readonly key_file_name: string; readonly cert_file_name: string }): NativeApp;
  us_listen_socket_close(socket: ListenSocket): void;
  us_socket_local_port(socket: ListenSocket): number;
  readonly SHARED_COMPRESSOR: number;
  readonly SHARED_DECOMPRESSOR: number;
}
