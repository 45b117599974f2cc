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
/** More header lines than heads of browsers have. */
const maxPlaces = 32;

/**
 * One pair for all connections that send the same header line, as a scope keeps its headers for as long as the connection
 * is open. Of other lines the well-known names are one string each.
 */
export class CommonLines {
  /** By the place in the head, the shared line that was there last: most heads are like the one before. */
  readonly #last: (Line | undefined)[] = Array<undefined>(maxPlaces).fill(undefined);
  readonly #known: ReadonlyMap<string, Known> = new Map<string, Known>([
    ...shared.map((name): [string, Known] => [name, { name, lines: new Map() }]),
    ...own.map((name): [string, Known] => [name, { name, lines: undefined }]),
  ]);

  /** The line of this name and of what `read` makes of the value. `place` is where it stands in its head, from 0 on. */
  line(place: number, name: string, value: string, read: (value: string) => string): Line {
    const last = this.#last[place];
    // Two comparisons, where the maps take the hashes of two strings that nobody has seen before.
    if (last !== undefined && last[0] === name && last[1] === value) return last;
    const known = this.#known.get(name);
    if (known?.lines === undefined || value.length > maxLength) return [known?.name ?? name, read(value)];
    const line = known.lines.get(value) ?? remember(known.name, known.lines, value, read(value));
    // What was read otherwise than it came is not found by what comes.
    if (line[1] === value && place < maxPlaces) this.#last[place] = line;
    return line;
  }
}

function remember(name: string, lines: Map<string, Line>, value: string, text: string): Line {
  // Nobody can change it for others.
  const line: Line = Object.freeze([name, text] as const);
  if (lines.size >= maxValues) lines.clear();
  lines.set(value, line);
  return line;
}
