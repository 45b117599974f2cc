import type { HeaderList } from "@sluice/core";

type Line = HeaderList[number];

interface Known {
  readonly name: string;
  /** By value as it came; undefined where every client has another, or a secret one. */
  readonly lines: Map<string, Line> | undefined;
}

/** What clients of one make send alike. Nothing that says who somebody is, and none that may carry a token. */
const shared = [
  ...["accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-type", "dnt", "host"],
  ...["origin", "pragma", "priority", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-gpc"],
  ...["sec-websocket-extensions", "sec-websocket-version", "upgrade", "user-agent", "x-forwarded-proto"],
];
const own = ["authorization", "content-length", "cookie", "sec-websocket-key", "sec-websocket-protocol"];

/** Per name: a client that sends ever new values pushes out those of others, and costs no more memory than this. */
const maxValues = 64;
/** Characters. */
const maxLength = 256;

/**
 * One pair for all connections that send the same header line, as a scope keeps its headers for as long as the connection
 * is open. Of other lines the well-known names are one string each.
 */
export class CommonLines {
  readonly #known: ReadonlyMap<string, Known> = new Map<string, Known>([
    ...shared.map((name): [string, Known] => [name, { name, lines: new Map() }]),
    ...own.map((name): [string, Known] => [name, { name, lines: undefined }]),
  ]);

  /** The line of this name and of what `read` makes of the value. */
  line(name: string, value: string, read: (value: string) => string): Line {
    const known = this.#known.get(name);
    if (known?.lines === undefined) return [known?.name ?? name, read(value)];
    return known.lines.get(value) ?? remember(known.name, known.lines, value, read(value));
  }
}

function remember(name: string, lines: Map<string, Line>, value: string, text: string): Line {
  // Nobody can change it for others.
  const line: Line = Object.freeze([name, text] as const);
  if (value.length > maxLength) return line;
  if (lines.size >= maxValues) lines.clear();
  lines.set(value, line);
  return line;
}
