/** Copies a request off the native stack: nothing of it may be read after the callback that brought it. */
import { SocketAddress } from "node:net";
import type { Address, HeaderList, RequestHead } from "@sluice/core";
import { CommonLines } from "./common-lines.js";
import type { NativeRequest, NativeResponse } from "./native.js";

const commonLines = new CommonLines();

/** Where the server listens, which is the same for all requests. */
export interface Endpoint {
  readonly secure: boolean;
  /** With the port that was asked for, until there is one in use. */
  server: Address;
}

/** `behindProxies` is whether anybody is interested in what a PROXY protocol header says. */
export function readHead(
  response: NativeResponse,
  request: NativeRequest,
  endpoint: Endpoint,
  behindProxies: boolean,
): RequestHead {
  const headers: HeaderList[number][] = [];
  request.forEach((name, value) => {
    headers.push(commonLines.line(headers.length, name, value, asLatin1));
  });
  return {
    method: request.getMethod().toUpperCase(),
    rawPath: request.getUrl(),
    queryString: request.getQuery() ?? "",
    // The native parser answers every other version with 505.
    httpVersion: "1.1",
    headers,
    secure: endpoint.secure,
    client: address(response.getRemoteAddressAsText(), response.getRemotePort?.()),
    proxied: behindProxies ? proxiedAddress(response) : undefined,
    server: endpoint.server,
  };
}

/** True if the lengths contradict each other: another server on the way may have read another one (RFC 9112 6.3). */
export function hasAmbiguousLength(headers: HeaderList): boolean {
  let length: string | undefined;
  for (const line of headers) {
    if (line[0] !== "content-length") continue;
    if (length !== undefined && line[1] !== length) return true;
    length = line[1];
  }
  return false;
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

function proxiedAddress(response: NativeResponse): Address | undefined {
  const text = response.getProxiedRemoteAddressAsText?.();
  return text && address(text, response.getProxiedRemotePort?.());
}

function address(bytes: ArrayBuffer, port: number | undefined): Address | undefined {
  // So it is on a Unix socket, and where the client has gone.
  if (bytes.byteLength === 0) return undefined;
  const text = Buffer.from(bytes).toString("latin1");
  // IPv6 comes with all its zeros.
  return { host: text.includes(":") ? new SocketAddress({ address: text, family: "ipv6" }).address : text, port };
}
