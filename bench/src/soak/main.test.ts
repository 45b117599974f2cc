/** Runs what is built: `tsc -b` comes first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipWithoutBinary } from "../../../packages/transport-uws/test/skip-without-binary.js";
import { leaks } from "./leak.js";

const main = fileURLToPath(new URL("../../dist/soak/main.js", import.meta.url));

async function soak(...given: string[]): Promise<{ code: number; output: string; errors: string }> {
  const process = spawn(globalThis.process.execPath, [main, ...given]);
  onTestFinished(() => void process.kill("SIGKILL"));
  const [[code], output, errors] = await Promise.all([
    once(process, "close") as Promise<[number]>,
    text(process.stdout),
    text(process.stderr),
  ]);
  return { code, output, errors };
}

const briefly = ["--minutes", "0.05", "--connections", "300"];

/** The last line of the report. */
function figuresOf(output: string): Record<string, unknown> {
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

const none = { connections: { http: 0, websocket: 0 }, channels: 0, groups: 0, members: 0 };

describe.each(["uws", "node"])("a soak of a few seconds on %s", (transport) => {
  test("visits in every way, and nothing is left of them", async (context) => {
    if (transport === "uws") skipWithoutBinary(context);
    const { code, output, errors } = await soak(...briefly, "--transport", transport);
    expect({ code, output }, errors).toEqual({ code: 0, output: expect.stringMatching(/^Nothing was left behind by/) });
    expect(figuresOf(output)).toMatchObject({
      ok: true,
      faults: [],
      transport,
      rest: { before: none, after: none },
      figures: { errors: {} },
    });
    const { figures } = figuresOf(output) as { figures: { visits: Record<string, number>; messages: number } };
    const often = ["leaves", "cuts", "crashes", "halfCloses", "babbles"];
    expect(Object.keys(figures.visits)).toEqual(expect.arrayContaining(often));
    expect(figures.messages).toBeGreaterThan(figures.visits.leaves ?? 0);
    expect(errors).toMatch(/\d s: \d+ WebSockets, \d+ requests, \d+ members, heap .* MiB, RSS .* MiB; \d+ messages/);
  });
});

const complaints: Readonly<Record<(typeof leaks)[number], RegExp>> = {
  members: /^All clients had left, but the layer kept \d{3,} group members, \d{3,} channels and 1 groups\.$/m,
  scopes: /^The heap was larger after all clients had left than before, by \d+\.\d MiB; up to 4\.0 MiB is noise\.$/m,
};

test.each(leaks)(
  "a server that keeps its %s is found out, in words",
  async (leak) => {
    const { code, output, errors } = await soak(...briefly, "--transport", "node", "--leak", leak);
    expect({ code, output }, errors).toEqual({ code: 1, output: expect.stringMatching(complaints[leak]) });
    expect(output).not.toContain("Nothing was left behind");
    expect(figuresOf(output)).toMatchObject({ ok: false, leak, figures: { errors: {} } });
  },
  120_000,
);

test("wrong arguments are answered with the usage", async () => {
  const { code, output, errors } = await soak("--transport", "pigeon");
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(errors).toMatch(/^expected --transport uws or node, got pigeon\nusage: /);
});
