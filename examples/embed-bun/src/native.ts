/** Bun as this transport uses it: the few calls it makes. Bun's own types would be global, and clash with Node's. */

export interface BunSocket<Data> {
  readonly data: Data;
  /** The number of bytes sent, -1 if they wait for the client, 0 if they were dropped. */
  send(data: string | Uint8Array, compress: boolean): number;
  close(code: number, reason: string): void;
  /** Without a close frame, and without what waits to be sent. */
  terminate(): void;
  getBufferedAmount(): number;
  pause(): void;
  resume(): void;
}

export interface BunServer<Data> {
  readonly port: number;
  readonly hostname: string;
  /** May come while the promise of `fetch` is pending. False if the request is no handshake. */
  upgrade(request: Request, options: { data: Data; headers: Headers }): boolean;
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
  stop(cutsConnections: boolean): Promise<void>;
}

export interface BunOptions<Data> {
  readonly port: number;
  readonly hostname: string;
  readonly development: false;
  readonly reusePort: boolean;
  readonly idleTimeout: number;
  readonly maxRequestBodySize: number;
  fetch(request: Request, server: BunServer<Data>): Promise<Response | undefined>;
  error(error: unknown): Response;
  readonly websocket: {
    readonly binaryType: "uint8array";
    readonly maxPayloadLength: number;
    readonly backpressureLimit: number;
    readonly idleTimeout: number;
    readonly sendPings: boolean;
    readonly perMessageDeflate: boolean;
    open(socket: BunSocket<Data>): void;
    message(socket: BunSocket<Data>, data: string | Uint8Array): void;
    drain(socket: BunSocket<Data>): void;
    close(socket: BunSocket<Data>, code: number, reason: string): void;
  };
}

export interface BunRuntime {
  readonly env: Readonly<Record<string, string | undefined>>;
  serve<Data>(options: BunOptions<Data>): BunServer<Data>;
}
