import { appendFileSync } from "node:fs";
import type { TaskMeta } from "vitest";
import type { Reporter, TestCase } from "vitest/node";

/** How one test ended. */
export interface TestLine {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly note?: string | undefined;
  readonly errors: readonly string[];
  readonly meta: TaskMeta;
}

/** What comes last, if the run gets there. */
export interface EndLine {
  /** What went wrong outside any test. */
  readonly unhandled: readonly string[];
}

/** Writes one line of JSON per test, so that what ran before a crash is known. */
export class LineReporter implements Reporter {
  readonly #path: string | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  onTestCaseResult(testCase: TestCase): void {
    const result = testCase.result();
    if (result.state === "pending") return;
    this.#write({
      name: testCase.fullName,
      state: result.state,
      note: result.state === "skipped" ? result.note : undefined,
      errors: (result.errors ?? []).map(describe),
      meta: testCase.meta(),
    } satisfies TestLine);
  }

  onTestRunEnd(_modules: unknown, unhandled: readonly { readonly message: string; readonly stack?: string }[]): void {
    this.#write({ unhandled: unhandled.map(describe) } satisfies EndLine);
  }

  #write(line: TestLine | EndLine): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

function describe({ message, stack = "" }: { readonly message: string; readonly stack?: string | undefined }): string {
  return stack.includes(message) ? stack : `${message}\n${stack}`;
}
