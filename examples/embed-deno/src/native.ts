/** Deno as this transport uses it: the few calls it makes. Deno's own types would be global, and clash with Node's. */

export interface DenoAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface DenoServer {
  readonly addr: DenoAddress;
  /** Stops listening; resolves when the requests that run have been answered. */
  shutdown(): Promise<void>;
}

export interface DenoServeOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
  onListen(address: DenoAddress): void;
  onError(error: unknown): Response;
}

export interface DenoRuntime {
  readonly env: { get(name: string): string | undefined };
  serve(
    options: DenoServeOptions,
    handler: (request: Request, info: { readonly remoteAddr: DenoAddress }) => Promise<Response>,
  ): DenoServer;
  /** The response is to be returned as it is, but for its headers. `idleTimeout` is in seconds. */
  upgradeWebSocket(
    request: Request,
    options: { readonly idleTimeout: number },
  ): { readonly socket: WebSocket; readonly response: Response };
}
