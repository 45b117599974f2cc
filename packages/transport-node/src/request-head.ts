import type { IncomingMessage } from "node:http";
import type { Address, RequestHead } from "@sluice/core";

/** Where the server listens, which is the same for all requests. */
export interface Endpoint {
  readonly secure: boolean;
  /** Undefined until it listens. */
  server: Address | undefined;
}

export function readHead(request: IncomingMessage, { secure, server }: Endpoint): RequestHead {
  const { url = "", socket } = request;
  const mark = url.indexOf("?");
  const { remoteAddress } = socket;
  return {
    method: request.method ?? "",
    rawPath: mark < 0 ? url : url.slice(0, mark),
    queryString: mark < 0 ? "" : url.slice(mark + 1),
    httpVersion: request.httpVersion,
    headers: readHeaders(request),
    secure,
    client: remoteAddress === undefined ? undefined : { host: remoteAddress, port: socket.remotePort },
    server,
  };
}

/** Names in lower case, in the order of the wire, repeated ones too. */
export function readHeaders({ rawHeaders }: IncomingMessage): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.push([(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""]);
  }
  return headers;
}
