/** Reads what proxies write into headers about the client behind them. */
import type { DenyConnection } from "../errors.js";
import { type Address, type HeaderList, headerValues } from "../scope.js";
import { parseIpAddress } from "./ip-address.js";
import { refusal } from "./refusal.js";

/** What a header says. A field is undefined where it says nothing. */
export interface Claim {
  /** `"unknown"` where the proxy cannot tell or does not want to. */
  readonly client: Address | "unknown" | undefined;
  readonly secure: boolean | undefined;
  readonly host: string | undefined;
}

/** The claim of `Forwarded` (RFC 7239). Throws `DenyConnection` for one that is malformed. */
export function forwardedClaim(headers: HeaderList, isTrusted: (host: string) => boolean): Claim | undefined {
  const elements = headerValues({ headers }, "forwarded").flatMap(forwardedElements);
  if (elements.length === 0) return undefined;
  const { client, index } = walk(
    elements.map((element) => element.get("for")),
    isTrusted,
  );
  const element = elements[index];
  return { client, secure: isSecure(element?.get("proto")), host: checkHost(element?.get("host")) };
}

/** The claim of `X-Forwarded-For`, `-Proto` and `-Host`. Throws `DenyConnection` for one that is malformed. */
export function xForwardedClaim(headers: HeaderList, isTrusted: (host: string) => boolean): Claim | undefined {
  const hops = members(headers, "x-forwarded-for");
  const protos = members(headers, "x-forwarded-proto");
  const hosts = members(headers, "x-forwarded-host");
  if (hops.length + protos.length + hosts.length === 0) return undefined;
  const { client, index } = walk(hops, isTrusted);
  const reach = { hops: hops.length, index };
  return { client, secure: isSecure(nearest(protos, reach)), host: checkHost(nearest(hosts, reach)) };
}

/** What a header lists, over all of its lines. An empty member says nothing (RFC 9110 5.6.1). */
function members(headers: HeaderList, name: string): string[] {
  return headerValues({ headers }, name)
    .flatMap((line) => line.split(","))
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/**
 * The last entry: it is the nearest proxy's, while any other may be the client's own. Some proxies replace what there is,
 * some add to it. Where there are several, there has to be one per hop, and all of those that proxies may have added
 * have to say the same, as nobody can tell which of them is about the client.
 */
function nearest(
  entries: readonly string[],
  reach: { readonly hops: number; readonly index: number },
): string | undefined {
  const last = entries.at(-1);
  if (last === undefined || entries.length === 1) return last;
  const added = entries.slice(reach.index);
  if (entries.length !== reach.hops || !added.every((entry) => sameText(entry, last))) {
    throw refusal(400, "Expected proxies to give one X-Forwarded-Proto and X-Forwarded-Host, or the same ones per hop");
  }
  return last;
}

/**
 * What both claims say, which has to be the same: a proxy usually sets one kind of header and hands on the other as the
 * client sent it, so what one of them says and the other does not may be the client's own invention.
 */
export function agreement(one: Claim, other: Claim): Claim {
  if (one.secure !== other.secure || !sameText(one.host, other.host)) throw contradiction();
  return { client: sameClient(one.client, other.client), secure: one.secure, host: one.host };
}

/** With its port where both give it. */
function sameClient(one: Claim["client"], other: Claim["client"]): Claim["client"] {
  if (typeof one !== "object" || typeof other !== "object") {
    if (one !== other) throw contradiction();
    return one;
  }
  const isSamePort = one.port === other.port;
  const differs = !isSamePort && one.port !== undefined && other.port !== undefined;
  if (one.host !== other.host || differs) throw contradiction();
  return isSamePort ? one : { host: one.host, port: undefined };
}

function sameText(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}

function contradiction(): DenyConnection {
  return refusal(400, "Expected Forwarded and X-Forwarded-* to say the same");
}

type Client = NonNullable<Claim["client"]>;

/**
 * Goes from the nearest hop to the first one that is not trusted, or as far as there are any. What is left of that one
 * is hearsay, and not even looked at. `index` is where it stopped.
 */
function walk(
  hops: readonly (string | undefined)[],
  isTrusted: (host: string) => boolean,
): { readonly client: Claim["client"]; readonly index: number } {
  let client: Claim["client"];
  let index = hops.length;
  while (index > 0) {
    index -= 1;
    const hop = hops[index];
    if (hop === undefined) break;
    client = parseNode(hop);
    if (client === "unknown" || !isTrusted(client.host)) break;
  }
  return { client, index };
}

/** An address of IPv6 in brackets or one of anything else, and a port (RFC 7239 6). */
const node = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}|_[\w.-]+))?$/;
/** A name instead of an address (RFC 7239 6.2 and 6.3). */
const obfuscated = /^(?:unknown|_[\w.-]+)$/i;

function parseNode(text: string): Client {
  // X-Forwarded-For has addresses of IPv6 without brackets, too.
  const bare = parseIpAddress(text);
  if (bare !== undefined) return { host: bare.text, port: undefined };
  const [, bracketed, plain = "", port] = node.exec(text) ?? [];
  if (bracketed === undefined && obfuscated.test(plain)) return "unknown";
  const address = parseIpAddress(bracketed ?? plain);
  const isPort = port === undefined || port.startsWith("_") || Number(port) <= 65_535;
  if (address === undefined || !isPort) throw refusal(400, "Expected proxies to give addresses");
  return { host: address.text, port: port === undefined || port.startsWith("_") ? undefined : Number(port) };
}

function isSecure(proto: string | undefined): boolean | undefined {
  switch (proto?.toLowerCase()) {
    case undefined:
      return undefined;
    case "https":
    case "wss":
      return true;
    case "http":
    case "ws":
      return false;
    default:
      throw refusal(400, "Expected proxies to give http, https, ws or wss as the protocol");
  }
}

const validHost = /^(?:[\w.~-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i;

function checkHost(host: string | undefined): string | undefined {
  if (host !== undefined && !validHost.test(host)) throw refusal(400, "Expected proxies to give a host");
  return host;
}

/**
 * One `name=value` of a Forwarded header, or nothing, and what ends it. Colons and brackets should be quoted, and are not
 * by everyone. No two parts in a row match the same blank: there would be as many ways to share them as there are blanks.
 */
const pair = /[\t ]*(?:([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w:[\]]+)|"((?:[^"\\]|\\.)*)")[\t ]*)?(;|,|$)/y;

function forwardedElements(line: string): Map<string, string>[] {
  const elements: Map<string, string>[] = [];
  let element = new Map<string, string>();
  pair.lastIndex = 0;
  for (let end = ","; end !== ""; ) {
    const [, name, plain, quoted = "", next] = pair.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (next === undefined || (key !== undefined && element.has(key))) {
      throw refusal(400, "Expected a Forwarded header as in RFC 7239");
    }
    if (key !== undefined) element.set(key, plain ?? quoted.replace(/\\(.)/g, "$1"));
    end = next;
    if (end === ";" || element.size === 0) continue;
    elements.push(element);
    element = new Map();
  }
  return elements;
}
