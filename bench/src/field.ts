import type { RunOptions } from "./arguments.js";
import { affordable } from "./measure/affordable.js";
import { type Played, playRounds, type Sample } from "./measure/rounds.js";
import { Pair } from "./pair.js";
import type { Children } from "./processes/children.js";
import type { Failure, PointRecord, RowRecord } from "./report/record.js";
import type { Pace, Point, Row } from "./rows/row.js";
import type { Contestant } from "./servers/contestants.js";

/** Rounds of a tenth of the units, the last of which tells how many a contestant can afford. */
const trials = 2;

/** Rounds that let the servers' code be compiled and do not count: the trials, and with time enough two more. */
const warmUps: Readonly<Record<Pace, number>> = { quick: trials, full: trials + 2 };
const countedRounds: Readonly<Record<Pace, number>> = { quick: 3, full: 5 };

/** Milliseconds that a contestant may take in a round. */
const budgets: Readonly<Record<Pace, number>> = { quick: 1_000, full: 2_500 };

export interface FieldOptions extends Pick<RunOptions, "pace" | "rounds" | "units"> {
  /** Who can run here. */
  readonly contestants: readonly Contestant[];
  /** Told what happens meanwhile. */
  readonly tell: (line: string) => void;
  /** Ends the run early: what is being measured rejects then. */
  readonly signal: AbortSignal;
}

/** The contestants with their processes, which stay from row to row unless they fail. */
export class Field {
  readonly #children: Children;
  readonly #options: FieldOptions;
  readonly #pairs = new Map<Contestant, Pair>();

  constructor(children: Children, options: FieldOptions) {
    this.#children = children;
    this.#options = options;
  }

  /** Resolves also if a contestant fails: it takes no further part in the row. */
  async measure(row: Row): Promise<RowRecord> {
    const { name, title, unit, resource, along } = row;
    const failures: Failure[] = [];
    const points: PointRecord[] = [];
    for (const point of pointsOf(row, this.#options.units)) {
      const able = this.#options.contestants.filter(
        (contestant) =>
          takesPart(contestant, row, point) && !failures.some((failure) => failure.contestant === contestant.name),
      );
      const started = performance.now();
      const played = await this.#play(able, row, point);
      // They have all failed then, as there are no processes any more.
      this.#options.signal.throwIfAborted();
      const failed = played.failures.map(({ contestant, error }) => failureOf(contestant, point.at, error));
      points.push({ at: point.at, rounds: played.rounds });
      failures.push(...failed);
      this.#tell(row, point, { contestants: able.length, since: started, failed });
    }
    return { name, title, unit, resource, ...(along !== undefined && { along }), points, failures };
  }

  #play(able: readonly Contestant[], row: Row, point: Point): Promise<Played<Contestant>> {
    const { pace, rounds, units } = this.#options;
    const wanted = Math.min(point.units[pace], units ?? Number.POSITIVE_INFINITY);
    // Who asks for few units gets them of everybody.
    const budget = units === undefined ? budgets[pace] : Number.POSITIVE_INFINITY;
    if (row.rounds !== undefined) {
      return playRounds(able, { warmUp: 0, rounds: rounds ?? row.rounds[pace] }, (contestant) =>
        this.#sample(contestant, row, point.at, wanted),
      );
    }
    const afford = new Map<Contestant, number>();
    const plan = { warmUp: warmUps[pace], rounds: rounds ?? countedRounds[pace] };
    return playRounds(able, plan, async (contestant, round) => {
      if (round >= trials) return this.#sample(contestant, row, point.at, afford.get(contestant) ?? wanted);
      const trial = await this.#sample(contestant, row, point.at, Math.ceil(wanted / 10));
      afford.set(contestant, affordable(wanted, trial, budget));
      return trial;
    });
  }

  async #sample(contestant: Contestant, { name, resource }: Row, at: number, units: number): Promise<Sample> {
    const pair = await this.#pairOf(contestant, resource === "memory");
    try {
      return await pair.sample({ row: name, at, units }, resource);
    } catch (error) {
      this.#pairs.delete(contestant);
      const fate = await pair.fate();
      await pair.end();
      throw new Error(`${(error as Error).message}${fate}`, { cause: error });
    }
  }

  async #pairOf(contestant: Contestant, fresh: boolean): Promise<Pair> {
    const present = this.#pairs.get(contestant);
    if (present !== undefined && !fresh) return present;
    this.#pairs.delete(contestant);
    await present?.end();
    const pair = await Pair.start(this.#children, contestant);
    this.#pairs.set(contestant, pair);
    // Who asks for few units wants to know whether it works, and not how fast.
    if (!fresh && this.#options.units === undefined) await pair.warmUp();
    return pair;
  }

  #tell(
    { along }: Row,
    { at }: Point,
    {
      contestants,
      since,
      failed,
    }: { readonly contestants: number; readonly since: number; readonly failed: readonly Failure[] },
  ): void {
    const where = along === undefined ? "" : `at ${at.toLocaleString("en-US")} ${along}, `;
    const seconds = Math.round((performance.now() - since) / 1_000);
    this.#options.tell(`  ${where}${contestants} contestants: ${seconds} s`);
    for (const { contestant, words } of failed) this.#options.tell(`  ${contestant} failed: ${words}`);
  }
}

function takesPart({ name, places, dialect }: Contestant, { place, isBinary }: Row, { only }: Point): boolean {
  return places.includes(place) && !(isBinary && dialect.textOnly) && (only?.includes(name) ?? true);
}

/** The words in one line. */
function failureOf({ name }: Contestant, at: number, error: unknown): Failure {
  return { contestant: name, at, words: (error as Error).message.replaceAll(/\s+/g, " ") };
}

/** Without those that a limit makes the same. */
function pointsOf({ points }: Row, limit: number | undefined): readonly Point[] {
  if (limit === undefined) return points;
  const limited = points.map((point) => ({ ...point, at: Math.min(point.at, limit) }));
  return limited.filter(({ at }, index) => limited.findIndex((other) => other.at === at) === index);
}
