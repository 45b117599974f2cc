import type { HeaderList } from "@sluice/core";

type Line = HeaderList[number];

/** A line for all connections that send it, and what to know it by: in a frozen pair V8 would look up the parts one by one. */
interface SharedLine {
  readonly name: string;
  /** As it came. The line has what was read of it. */
  readonly value: string;
  readonly line: Line;
}

interface Known {
  readonly name: string;
  /** By value as it came; undefined where every client has another, or a secret one. */
  readonly lines: Map<string, SharedLine> | undefined;
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
  readonly #last: (SharedLine | undefined)[] = Array<undefined>(maxPlaces).fill(undefined);
  readonly #known: ReadonlyMap<string, Known> = new Map<string, Known>([
    ...shared.map((name): [string, Known] => [name, { name, lines: new Map() }]),
    ...own.map((name): [string, Known] => [name, { name, lines: undefined }]),
  ]);

  /** The line of this name and of what `read` makes of the value. `place` is where it stands in its head, from 0 on. */
  line(place: number, name: string, value: string, read: (value: string) => string): Line {
    const last = this.#last[place];
    // Two comparisons, where the maps take the hashes of two strings that nobody has seen before.
    if (last !== undefined && last.name === name && last.value === value) return last.line;
    const known = this.#known.get(name);
    if (known?.lines === undefined || value.length > maxLength) return [known?.name ?? name, read(value)];
    const common = known.lines.get(value) ?? remember(known.name, known.lines, value, read(value));
    if (place < maxPlaces) this.#last[place] = common;
    return common.line;
  }
}

function remember(name: string, lines: Map<string, SharedLine>, value: string, text: string): SharedLine {
  // Nobody can change it for others.
  const common: SharedLine = { name, value, line: Object.freeze([name, text] as const) };
  if (lines.size >= maxValues) lines.clear();
  lines.set(value, common);
  return common;
}
