import { parseArgs } from "node:util";
import { isPeer } from "./contestant-of.js";
import { type Pace, type Row, rows } from "./rows/rows.js";
import { type Contestant, contestants } from "./servers/contestants.js";

export interface RunOptions {
  readonly command: "run";
  readonly rows: readonly Row[];
  readonly contestants: readonly Contestant[];
  readonly pace: Pace;
  /** In place of the pace's own number. */
  readonly rounds: number | undefined;
  /** No round does more units, and no row has more connections. */
  readonly units: number | undefined;
  /** The folder that the table, the plots and the samples go to. */
  readonly out: string;
  /** Where the samples go as well. */
  readonly json: string | undefined;
  /** The PostgreSQL that opaque tokens are in; one is started if left out. */
  readonly url: string | undefined;
}

export interface CompareOptions {
  readonly command: "compare";
  /** Two files that `--json` has written. */
  readonly before: string;
  readonly after: string;
}

export interface HelpOptions {
  readonly command: "help";
}

const rowNames = rows.map(({ name }) => name);
const peers = contestants.filter(isPeer);

export const usage: string = `usage: npm run bench -- [options]
  --full                    the figures to rely on, in less than an hour; without it a look at every row, in minutes
  --only handshake,echo     what to measure; everything if left out:
                            ${rowNames.join(",")}
  --against socketio        which peers take part, or none; all of them if left out:
                            ${peers.map(({ name }) => name).join(",")}
  --rounds 5                rounds after the warm-up, 1 to 100; below 5 the figures say little. Rows whose rounds take
                            long (idle, storm, jitter) have three at most
  --units 300               at most so many units a round and connections, for a trial
  --out bench-results       the folder for the table, the plots and results.json
  --json out.json           writes every sample there as well
  --url postgres://...      a PostgreSQL for the opaque tokens, in place of one that is started
  --compare a.json b.json   what has changed between two runs; measures nothing`;

/** Throws a `TypeError` for arguments that it does not know or cannot use. */
export function readArguments(given: readonly string[]): RunOptions | CompareOptions | HelpOptions {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: given.includes("--compare"),
    options: {
      full: { type: "boolean", default: false },
      only: { type: "string" },
      against: { type: "string" },
      rounds: { type: "string" },
      units: { type: "string" },
      out: { type: "string", default: "bench-results" },
      json: { type: "string" },
      url: { type: "string" },
      compare: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return { command: "help" };
  if (values.compare !== undefined) {
    const [after, ...more] = positionals;
    if (after === undefined || more.length > 0) throw new TypeError("expected --compare and the names of two files");
    return { command: "compare", before: values.compare, after };
  }
  return {
    command: "run",
    rows: values.only === undefined ? rows : values.only.split(",").map(rowNamed),
    contestants: values.against === undefined ? contestants : besides(values.against.split(",")),
    pace: values.full ? "full" : "quick",
    rounds: values.rounds === undefined ? undefined : wholeNumber("--rounds", values.rounds, 100),
    units: values.units === undefined ? undefined : wholeNumber("--units", values.units, 1_000_000),
    out: values.out,
    json: values.json,
    url: values.url,
  };
}

function rowNamed(name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new TypeError(`expected --only of ${rowNames.join(" and ")}, got ${name}`);
  return row;
}

/** Ours, the controls and these peers: `channels` stands for all whose name begins so. */
function besides(names: readonly string[]): readonly Contestant[] {
  const wanted = names.includes("none") && names.length === 1 ? [] : names.map(peersNamed);
  return contestants.filter((contestant) => !isPeer(contestant) || wanted.flat().includes(contestant));
}

function peersNamed(name: string): readonly Contestant[] {
  const named = peers.filter((peer) => peer.name === name || peer.name.startsWith(`${name}-`));
  if (named.length > 0) return named;
  throw new TypeError(`expected --against none or of ${peers.map((peer) => peer.name).join(" and ")}, got ${name}`);
}

function wholeNumber(option: string, text: string, highest: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > highest) {
    throw new TypeError(`expected ${option} to be a whole number from 1 to ${highest}, got ${text}`);
  }
  return number;
}
