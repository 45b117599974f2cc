import type { RunOptions } from "./arguments.js";
import { affordable } from "./measure/affordable.js";
import { type Played, playRounds, type Round, type Sample } from "./measure/rounds.js";
import { Pair } from "./pair.js";
import type { Children } from "./processes/children.js";
import { thousands } from "./report/numbers.js";
import type { Failure, PointRecord, RowRecord } from "./report/record.js";
import type { Pace, Point, Row } from "./rows/row.js";
import type { Contestant } from "./servers/contestants.js";

/** Rounds of a tenth of the units, the last of which tells how many a contestant can afford. */
const trials = 2;

/** Rounds that let the servers' code be compiled and do not count: the trials, and with time enough another one. */
const warmUps: Readonly<Record<Pace, number>> = { quick: trials, full: trials + 1 };
/** More of them tell more than longer ones: what disturbs the machine takes a second or two. */
const countedRounds: Readonly<Record<Pace, number>> = { quick: 3, full: 9 };

/** Milliseconds that a contestant may take in a round. */
const budgets: Readonly<Record<Pace, number>> = { quick: 1_000, full: 1_250 };

export interface FieldOptions extends Pick<RunOptions, "pace" | "rounds" | "units"> {
  /** Who can run here. */
  readonly contestants: readonly Contestant[];
  /** Told what happens meanwhile. */
  readonly tell: (line: string) => void;
  /** Ends the run early: what is being measured rejects then. */
  readonly signal: AbortSignal;
}

/** A contestant at a point of a row. */
interface Entry {
  /** The contestant's, where it is at one point at a time. */
  readonly name: string;
  readonly contestant: Contestant;
  readonly point: Point;
}

/**
 * The contestants with their processes, which stay from row to row unless they fail. Those of a row whose points take turns, or that
 * measures memory, end with it.
 */
export class Field {
  readonly #children: Children;
  readonly #options: FieldOptions;
  /** By the names of their entries. */
  readonly #pairs = new Map<string, Pair>();

  constructor(children: Children, options: FieldOptions) {
    this.#children = children;
    this.#options = options;
  }

  /** Resolves also if a contestant fails: it takes no further part in the row, or at that point where points take turns. */
  async measure(row: Row): Promise<RowRecord> {
    const { name, title, unit, resource, along } = row;
    const failures: Failure[] = [];
    const points: PointRecord[] = [];
    const all = pointsOf(row, this.#options.units);
    for (const lot of row.pointsTakeTurns ? [all] : all.map((point) => [point])) {
      const entries = this.#entries(lot, row, failures);
      const started = performance.now();
      const played = await this.#play(entries, row);
      // They have all failed then, as there are no processes any more.
      this.#options.signal.throwIfAborted();
      const failed = played.failures.map(({ contestant: entry, error }) => failureOf(entry, error));
      failures.push(...failed);
      points.push(
        ...lot.map((point) => ({ at: point.at, rounds: played.rounds.map((round) => part(round, entries, point)) })),
      );
      this.#tell(row, lot, { entries, since: started, failed });
      if (lot.length > 1 || row.resource === "memory") await this.#dismiss(entries);
    }
    return { name, title, unit, resource, ...(along !== undefined && { along }), points, failures };
  }

  /** Who takes part at some points. */
  #entries(lot: readonly Point[], row: Row, failures: readonly Failure[]): Entry[] {
    const able = this.#options.contestants.filter(
      ({ name }) => !failures.some(({ contestant }) => contestant === name),
    );
    return lot.flatMap((point) =>
      able
        .filter((contestant) => takesPart(contestant, row, point))
        .map((contestant) => {
          const { name } = contestant;
          return { name: lot.length === 1 ? name : `${name} at ${point.at}`, contestant, point };
        }),
    );
  }

  #play(entries: readonly Entry[], row: Row): Promise<Played<Entry>> {
    const { pace, rounds, units } = this.#options;
    const wanted = ({ point }: Entry): number => Math.min(point.units[pace], units ?? Number.POSITIVE_INFINITY);
    // Who asks for few units gets them of everybody.
    const budget = units === undefined ? budgets[pace] : Number.POSITIVE_INFINITY;
    if (row.rounds !== undefined) {
      const few = Math.min(row.rounds[pace], rounds ?? Number.POSITIVE_INFINITY);
      return playRounds(entries, { warmUp: 0, rounds: few }, (entry) => this.#sample(entry, row, wanted(entry)));
    }
    const afford = new Map<Entry, number>();
    const plan = { warmUp: warmUps[pace], rounds: rounds ?? countedRounds[pace] };
    return playRounds(entries, plan, async (entry, round) => {
      if (round >= trials) return this.#sample(entry, row, afford.get(entry) ?? wanted(entry));
      const trial = await this.#sample(entry, row, Math.ceil(wanted(entry) / 10));
      afford.set(entry, affordable(wanted(entry), trial, budget));
      return trial;
    });
  }

  async #sample(entry: Entry, { name, resource }: Row, units: number): Promise<Sample> {
    const { at } = entry.point;
    const present = this.#pairs.get(entry.name);
    const pair = present === undefined || resource === "memory" ? await this.#start(entry) : present;
    try {
      // Memory is that of a fresh server, and who asks for few units wants to know whether it works, and not how fast.
      if (pair !== present && resource === "cpu" && this.#options.units === undefined) await pair.warmUp();
      return await pair.sample({ row: name, at, units }, resource);
    } catch (error) {
      this.#pairs.delete(entry.name);
      const fate = await pair.fate();
      await pair.end();
      throw new Error(`${(error as Error).message}${fate}`, { cause: error });
    }
  }

  async #start(entry: Entry): Promise<Pair> {
    await this.#dismiss([entry]);
    const pair = await Pair.start(this.#children, entry.contestant);
    this.#pairs.set(entry.name, pair);
    return pair;
  }

  async #dismiss(entries: readonly Entry[]): Promise<void> {
    const pairs = entries.flatMap(({ name }) => this.#pairs.get(name) ?? []);
    for (const { name } of entries) this.#pairs.delete(name);
    await Promise.all(pairs.map((pair) => pair.end()));
  }

  #tell(
    { along }: Row,
    lot: readonly Point[],
    {
      entries,
      since,
      failed,
    }: { readonly entries: readonly Entry[]; readonly since: number; readonly failed: readonly Failure[] },
  ): void {
    const contestants = new Set(entries.map(({ contestant }) => contestant)).size;
    const seconds = Math.round((performance.now() - since) / 1_000);
    this.#options.tell(`  ${wherein(lot, along)}${contestants} contestants: ${seconds} s`);
    for (const { contestant, at, words } of failed) {
      this.#options.tell(`  ${contestant} failed${lot.length > 1 ? ` at ${thousands(at)}` : ""}: ${words}`);
    }
  }
}

function takesPart({ name, places, dialect }: Contestant, { place, isBinary }: Row, { only }: Point): boolean {
  return places.includes(place) && !(isBinary && dialect.textOnly) && (only?.includes(name) ?? true);
}

function wherein(lot: readonly Point[], along: string | undefined): string {
  return along === undefined ? "" : `at ${lot.map(({ at }) => thousands(at)).join(", ")} ${along}, `;
}

/** The words in one line. */
function failureOf({ contestant, point }: Entry, error: unknown): Failure {
  return { contestant: contestant.name, at: point.at, words: (error as Error).message.replaceAll(/\s+/g, " ") };
}

/** What was found at one point in a round. */
function part(round: Round, entries: readonly Entry[], point: Point): Round {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const sample = entry.point === point ? round[entry.name] : undefined;
      return sample === undefined ? [] : [[entry.contestant.name, sample]];
    }),
  );
}

/** Without those that a limit makes the same. */
function pointsOf({ points }: Row, limit: number | undefined): readonly Point[] {
  if (limit === undefined) return points;
  const limited = points.map((point) => ({ ...point, at: Math.min(point.at, limit) }));
  return limited.filter(({ at }, index) => limited.findIndex((other) => other.at === at) === index);
}
