import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reporter, TestModule, TestSpecification, Vitest } from "vitest/node";
import { CapabilityTable, columnsIn, type Finding, withTable } from "./capability-table.js";

export interface CapabilityReporterOptions {
  /** The path of the document with the table. */
  readonly document?: string;
  /** True to fail a run that the table does not fit, instead of writing it. On CI if left out. */
  readonly compare?: boolean;
  /** The Node that runs. */
  readonly node?: string;
}

/** What a transport can do may depend on the Node: the table is that of the oldest one that Sluice runs on. */
const tableNode = "20.";

/**
 * Holds the table of capabilities in the docs to what has run: writes it, or fails a run on CI where it says something
 * else. Leaves it alone where not all has run, such as a transport that has no binary, and on another Node.
 */
export class CapabilityReporter implements Reporter {
  readonly #document: string;
  readonly #compare: boolean;
  readonly #node: string;
  #vitest: Vitest | undefined;
  #whole = false;

  constructor(options: CapabilityReporterOptions = {}) {
    this.#document = options.document ?? fileURLToPath(new URL("../docs/transports.md", import.meta.url));
    this.#compare = options.compare ?? Boolean(process.env.CI);
    this.#node = options.node ?? process.versions.node;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunStart(specifications: readonly TestSpecification[]): Promise<void> {
    const all = await this.#vitest?.globTestSpecifications();
    const narrowed = specifications.some(
      ({ testLines, testIds, testNamePattern }) => testLines ?? testIds ?? testNamePattern,
    );
    const named = this.#vitest?.config.testNamePattern !== undefined;
    this.#whole = this.#node.startsWith(tableNode) && !narrowed && !named && specifications.length === all?.length;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (!this.#whole) return;
    const table = CapabilityTable.of(findingsOf(modules));
    const document = readFileSync(this.#document, "utf8");
    if (table === undefined || !table.isComplete(columnsIn(document))) return;
    const wanted = withTable(document, table);
    if (wanted === document) return;
    if (!this.#compare) {
      writeFileSync(this.#document, wanted);
      this.#vitest?.logger.log(`${this.#document}: the table of capabilities is written anew`);
      return;
    }
    process.exitCode = 1;
    this.#vitest?.logger.error(
      `expected the table in ${this.#document} to say what ran, which is:\n\n${table.toString()}\n\nRun the tests without CI, which writes it, and commit it.`,
    );
  }
}

function findingsOf(modules: readonly TestModule[]): Finding[] {
  const findings: Finding[] = [];
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const report = test.meta().transportCapability;
      const { state } = test.result();
      if (report !== undefined && state !== "pending") findings.push({ report, state });
    }
  }
  return findings;
}
