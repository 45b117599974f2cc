import { expect, test } from "vitest";
import { markdownReport } from "./markdown.js";
import { record, rows, sample } from "./test-record.js";

const lines = markdownReport(record, rows).split("\n");

test("what the figures were got with stands above them, and who is missing with the reason", () => {
  expect(lines.slice(0, 7)).toEqual([
    "A full run of 2026-11-27 on Node 20.20.2, a machine, with a load of 0.5 when it began.",
    "",
    "| contestant | made of |",
    "| --- | --- |",
    "| Ours | uws 1.0.0, jose 2.0.0 |",
    "| By hand | uws 1.0.0 |",
    "| Channels | **missing:** there is no Python |",
  ]);
});

test("a table for each row, with the ratio to the control and the spread of both", () => {
  const start = lines.indexOf("### handshake with a token");
  expect(lines.slice(start, start + 7)).toEqual([
    "### handshake with a token",
    "",
    "| contestant | server CPU per handshake | lowest to highest round | times its control | lowest to highest round | per second | seconds |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    "| Ours | 120 us | 110 us to 150 us | **1.20** | 1.10 to 1.50 | 2,000 | 0.05 |",
    "| By hand | 100 us | 100 us to 100 us |  |  | 2,000 | 0.05 |",
    "",
  ]);
});

test("where a row has several points they are the first column, and who failed is named with the words", () => {
  const start = lines.indexOf("### idle connection");
  expect(lines.slice(start + 2, start + 9)).toEqual([
    expect.stringMatching(/^\| connections \| contestant \| resident memory per connection \| /),
    expect.any(String),
    "| 1,000 | Ours | 4.00 KiB | 4.00 KiB to 4.00 KiB | **2.00** | 2.00 to 2.00 | 2,000 |",
    "| 1,000 | By hand | 2.00 KiB | 2.00 KiB to 2.00 KiB |  |  | 2,000 |",
    "| 5,000 | Ours | 5.00 KiB | 5.00 KiB to 5.00 KiB |  |  | 2,000 |",
    "",
    "- **By hand failed, at 5,000 connections:** expected a 101, got nothing",
  ]);
});

test("losses are told, and nothing is said of them where there were none", () => {
  expect(lines).toContain("WebSockets that a server closed by itself after its 101: Ours 1. The README says why.");
  const [first] = record.rows;
  if (first === undefined) throw new Error("expected a row");
  const clean = { ...record, rows: [{ ...first, points: [{ at: 1, rounds: [{ "sluice-uws": sample(1) }] }] }] };
  expect(markdownReport(clean, rows)).not.toContain("closed by itself");
});
