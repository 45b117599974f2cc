import type { TaskMeta } from "vitest";

export type CapabilityReport = NonNullable<TaskMeta["transportCapability"]>;

/** What one test told, and how it ended. */
export interface Finding {
  readonly report: CapabilityReport;
  readonly state: "passed" | "skipped" | "failed";
}

/** The order of the columns; whoever is not named here comes after, by name. */
const firstColumns = ["transport-uws", "transport-node", "embed-bun", "embed-deno"];

export const begin = "<!-- the table: written by the test run -->";
export const end = "<!-- end of the table -->";

/** What a run has shown of each transport. */
export class CapabilityTable {
  /** Of every transport, its cells by the words for the capability. */
  readonly #cells = new Map<string, Map<string, string>>();

  /** Undefined where a test failed: nothing can be said then. */
  static of(findings: readonly Finding[]): CapabilityTable | undefined {
    const table = new CapabilityTable();
    for (const { report, state } of findings) {
      if (state === "failed" || (state === "skipped" && report.reason === undefined)) return undefined;
      const cells = table.#cells.get(report.transport) ?? new Map<string, string>();
      table.#cells.set(report.transport, cells);
      // One test that is skipped is enough for a reason, whatever others passed.
      const cell = report.reason ?? cells.get(report.words) ?? "yes";
      cells.set(report.words, cell);
    }
    return table;
  }

  get transports(): string[] {
    const place = (name: string): number => (firstColumns.includes(name) ? firstColumns.indexOf(name) : Infinity);
    return [...this.#cells.keys()].sort((one, two) => place(one) - place(two) || one.localeCompare(two));
  }

  /** True if every transport has told of every capability, and none of `columns` is missing. */
  isComplete(columns: readonly string[]): boolean {
    const rows = this.#rows();
    const cells = [...this.#cells.values()];
    return (
      cells.length > 0 &&
      cells.every((column) => column.size === rows.length) &&
      columns.every((column) => this.#cells.has(column))
    );
  }

  toString(): string {
    const { transports } = this;
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [
      line(["a transport that", ...transports]),
      line(["---", ...transports.map(() => "---")]),
      ...this.#rows().map((words) =>
        line([words, ...transports.map((name) => this.#cells.get(name)?.get(words) ?? "")]),
      ),
    ].join("\n");
  }

  #rows(): string[] {
    return [...new Set([...this.#cells.values()].flatMap((cells) => [...cells.keys()]))].sort();
  }
}

/** The transports of the table in a document; none where it has no table yet. */
export function columnsIn(document: string): string[] {
  const [, header = ""] = /\| a transport that \| (.*) \|/.exec(document) ?? [];
  return header === "" ? [] : header.split(" | ");
}

/** The document with the table between its markers. */
export function withTable(document: string, table: CapabilityTable): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`expected ${JSON.stringify(begin)} and ${JSON.stringify(end)}, got neither`);
  return `${document.slice(0, from + begin.length)}\n\n${table.toString()}\n\n${document.slice(to)}`;
}
