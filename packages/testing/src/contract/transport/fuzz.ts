import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { FuzzContract } from "./fuzz-contract.js";
import { FuzzTarget } from "./fuzz-target.js";

export interface FuzzOptions {
  /** How many connections are made. `FUZZ_CASES` in the environment, else 100,000 on CI and 12,000 elsewhere: Node 24 is warm after 6,000. */
  readonly cases?: number;
  /** What the cases are made of, a 32-bit number. `FUZZ_SEED` in the environment, else another one every time. */
  readonly seed?: number;
}

/**
 * Bytes that the second half of a run may leave behind, when the first has filled whatever is kept on purpose. Without a
 * leak it is a few hundred thousand up or down on the heap; a session that is not let go shows even in 5,000 cases. What
 * the system counts moves more, as an allocator gives back when it likes, but it is all that there is to see of native
 * code: half a kilobyte a connection shows in 100,000 cases.
 */
const noise = { heap: 2 * 1024 * 1024, resident: 32 * 1024 * 1024 };

/**
 * Connects many times over and says what no client should say, in the handshake and in frames, and leaves at odd moments.
 * Every answer is held to the protocols, and afterwards the server has to be as it was.
 *
 * A failure names the seed and the case. `FUZZ_SEED=<seed> FUZZ_ONLY=<case>` runs that one alone. Where the process
 * ended, the seed stands in its output: fewer `FUZZ_CASES` with the same seed are the same cases, without the last.
 */
export function transportFuzz(contract: FuzzContract, options: FuzzOptions = {}): void {
  const { FUZZ_CASES, FUZZ_SEED, FUZZ_ONLY, CI } = process.env;
  const cases = options.cases ?? (FUZZ_CASES === undefined ? (CI ? 100_000 : 12_000) : Number(FUZZ_CASES));
  const seed = options.seed ?? (FUZZ_SEED === undefined ? randomInt(2 ** 31) : Number(FUZZ_SEED));
  describe(`${contract.name} against odd clients`, () => {
    if (FUZZ_ONLY === undefined) {
      const title = `keeps to the protocols in ${cases} cases, and is as it was`;
      test(title, { timeout: 60_000 + 20 * cases }, () => runAll(contract, seed, cases));
    } else {
      test(`keeps to the protocols in case ${FUZZ_ONLY} of seed ${seed}`, () =>
        runOne(contract, seed, Number(FUZZ_ONLY)));
    }
  });
}

async function runAll(contract: FuzzContract, seed: number, cases: number): Promise<void> {
  // biome-ignore lint/suspicious/noConsole: without the seed nobody could see again what ended the process.
  console.log(`fuzz of ${contract.name}: FUZZ_SEED=${seed} FUZZ_CASES=${cases}`);
  const target = await FuzzTarget.start(contract, seed);
  const half = Math.floor(cases / 2);
  await target.run(0, half);
  const before = await target.quiet();
  await target.run(half, cases);
  const after = await target.quiet();
  await target.stillServes();
  expect(target.errors, "of the lines in the log, none is an error: the application is sound").toEqual([]);
  expect(after.heap - before.heap, "bytes left on the heap").toBeLessThan(noise.heap);
  expect(after.resident - before.resident, "bytes left in all").toBeLessThan(noise.resident);
  // Or else it would have looked at nothing.
  if (cases >= 1_000) {
    for (const [what, count] of Object.entries(target.account)) {
      expect(count / cases, `share of cases that got: ${what}`).toBeGreaterThan(0.02);
    }
  }
}

async function runOne(contract: FuzzContract, seed: number, caseNumber: number): Promise<void> {
  const target = await FuzzTarget.start(contract, seed);
  await target.run(caseNumber, caseNumber + 1);
  await target.quiet();
}
