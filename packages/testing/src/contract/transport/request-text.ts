export interface HandshakeOptions {
  readonly method?: string;
  /** Header lines in front of the handshake's own. */
  readonly lines?: readonly string[];
  /** The handshake's own header lines, in place of the proper ones. An empty list leaves the header out. */
  readonly upgrade?: readonly string[];
  readonly key?: readonly string[];
  readonly version?: readonly string[];
}

/** The key of the example in RFC 6455 1.3. */
export const exampleKey = "dGhlIHNhbXBsZSBub25jZQ==";
/** What a server answers to it. */
export const exampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A WebSocket handshake as it stands on the wire. */
export function handshake(path: string, options: HandshakeOptions = {}): string {
  const { method = "GET", lines = [], upgrade = ["websocket"], key = [exampleKey], version = ["13"] } = options;
  return request(method, path, [
    ...lines,
    ...upgrade.map((value) => `Upgrade: ${value}`),
    "Connection: Upgrade",
    ...key.map((value) => `Sec-WebSocket-Key: ${value}`),
    ...version.map((value) => `Sec-WebSocket-Version: ${value}`),
  ]);
}

/** A request as it stands on the wire. */
export function request(method: string, path: string, lines: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return [`${method} ${path} HTTP/1.1`, "Host: test.example", ...lines, ...length, "", body].join("\r\n");
}
