/** Copies a request off the native stack: nothing of it may be read after the callback that brought it. */
import { SocketAddress } from "node:net";
import type { Address, HeaderList, RequestHead } from "@sluice/core";
import type { NativeRequest, NativeResponse } from "./native.js";

/** Where the server listens, which is the same for all requests. */
export interface Endpoint {
  readonly secure: boolean;
  /** With the port that was asked for, until there is one in use. */
  server: Address & { readonly port: number };
}

export function readHead(response: NativeResponse, request: NativeRequest, endpoint: Endpoint): RequestHead {
  const headers: [string, string][] = [];
  request.forEach((name, value) => {
    headers.push([name, asLatin1(value)]);
  });
  return {
    method: request.getMethod().toUpperCase(),
    rawPath: request.getUrl(),
    queryString: request.getQuery() ?? "",
    // The native parser answers every other version with 505.
    httpVersion: "1.1",
    headers,
    secure: endpoint.secure,
    client: clientAddress(response),
    server: endpoint.server,
  };
}

/** True for a request that asks for a WebSocket (RFC 6455 4.2.1), whether or not it does so correctly. */
export function asksForWebSocket(head: RequestHead): boolean {
  return (
    head.method === "GET" && lists(head.headers, "upgrade", "websocket") && lists(head.headers, "connection", "upgrade")
  );
}

/** True if the lengths contradict each other: another server on the way may have read another one (RFC 9112 6.3). */
export function hasAmbiguousLength(headers: HeaderList): boolean {
  const lengths = headers.filter(([name]) => name === "content-length").map(([, value]) => value);
  return new Set(lengths).size > 1;
}

function lists(headers: HeaderList, name: string, token: string): boolean {
  return headers.some(
    ([key, value]) => key === name && value.split(",").some((item) => item.trim().toLowerCase() === token),
  );
}

const beyondAscii = /[\u0080-\uffff]/;
const replacementCharacter = "\ufffd";

/**
 * Header values are bytes, which elsewhere are read as Latin-1; here they come decoded as UTF-8. What was not UTF-8 is
 * lost, and stays a replacement character, which the session refuses.
 */
function asLatin1(value: string): string {
  if (!beyondAscii.test(value) || value.includes(replacementCharacter)) return value;
  return Buffer.from(value).toString("latin1");
}

function clientAddress(response: NativeResponse): Address | undefined {
  const text = Buffer.from(response.getRemoteAddressAsText()).toString("latin1");
  if (text === "") return undefined;
  const port = response.getRemotePort?.();
  // IPv6 comes with all its zeros.
  return { host: text.includes(":") ? new SocketAddress({ address: text, family: "ipv6" }).address : text, port };
}
