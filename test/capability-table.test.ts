import { describe, expect, it } from "vitest";
import { begin, CapabilityTable, columnsIn, end, type Finding, withTable } from "./capability-table.js";

const can = (transport: string, words: string, state: Finding["state"] = "passed"): Finding => ({
  report: { transport, capability: words, words },
  state,
});
const cannot = (transport: string, words: string, reason: string): Finding => ({
  report: { transport, capability: words, words, reason },
  state: "skipped",
});
const findings = [
  can("embed-bun", "swims"),
  can("embed-bun", "flies"),
  can("transport-uws", "flies"),
  can("transport-uws", "swims"),
  cannot("transport-uws", "swims", "no fins"),
];

describe("the table of capabilities", () => {
  it("has a row per capability and a column per transport, and yes only where nothing was skipped", () => {
    const table = CapabilityTable.of(findings);
    expect(String(table)).toBe(
      [
        "| a transport that | transport-uws | embed-bun |",
        "| --- | --- | --- |",
        "| flies | yes | yes |",
        "| swims | no fins | yes |",
      ].join("\n"),
    );
    expect(columnsIn(String(table))).toEqual(["transport-uws", "embed-bun"]);
    expect(String(CapabilityTable.of([...findings].reverse()))).toBe(String(table));
  });

  it("is not made of a run with a failure, nor of one that was skipped for another reason", () => {
    expect(CapabilityTable.of([...findings, can("embed-bun", "swims", "failed")])).toBeUndefined();
    expect(CapabilityTable.of([...findings, can("embed-bun", "swims", "skipped")])).toBeUndefined();
  });

  it("is complete with every cell and every column that was there", () => {
    const complete = (some: Finding[], columns: string[] = []) => CapabilityTable.of(some)?.isComplete(columns);
    expect(complete(findings)).toBe(true);
    expect(complete(findings, ["transport-uws"])).toBe(true);
    expect(complete(findings, ["transport-node"])).toBe(false);
    expect(complete(findings.slice(1))).toBe(false);
    expect(complete([])).toBe(false);
  });

  it("goes between its markers, and stays as it is when it is put there again", () => {
    const table = CapabilityTable.of(findings) ?? new CapabilityTable();
    const document = withTable(`before\n${begin}\nold\n${end}\nafter\n`, table);
    expect(document).toBe(`before\n${begin}\n\n${table}\n\n${end}\nafter\n`);
    expect(withTable(document, table)).toBe(document);
    expect(() => withTable("no markers", table)).toThrow("expected");
  });
});
