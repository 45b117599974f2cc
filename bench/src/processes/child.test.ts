import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { Child, type ChildOptions } from "./child.js";

interface TestAnswers {
  double(number: number): number;
  fail(): void;
  die(): void;
  sleep(): void;
  flags(): string[];
}

const timeLimit = 10_000;
const built = new URL("../../dist/processes/answer-questions.js", import.meta.url);

const answers = `
  import { answerQuestions } from ${JSON.stringify(built.href)};
  answerQuestions({
    double: (number) => number * 2,
    fail: () => { throw new TypeError("expected more"); },
    die: () => { process.stderr.write("out of memory\\n"); process.exitCode = 3; process.disconnect(); process.exit(); },
    sleep: () => new Promise(() => {}),
    flags: () => process.execArgv,
  });
`;

/** A child that runs `source`. */
async function child(source: string, options: Partial<ChildOptions> = {}): Promise<Child<TestAnswers>> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const file = join(folder, "child.mjs");
  await writeFile(file, source);
  const made = new Child<TestAnswers>("the server", pathToFileURL(file), { timeLimit, ...options });
  onTestFinished(async () => {
    vi.useRealTimers();
    await made.end();
    await rm(folder, { recursive: true });
  });
  return made;
}

afterEach(() => {
  vi.useRealTimers();
});

test("it answers one question after the other", async () => {
  const server = await child(answers);
  await server.ready;
  expect(await server.ask("double", 21)).toBe(42);
  expect(await server.ask("double", -1)).toBe(-2);
});

test("it has the flags of this process, and those that it is given", async () => {
  const server = await child(answers, { flags: ["--no-memory-reducer"] });
  await server.ready;
  expect(await server.ask("flags")).toEqual([...process.execArgv, "--no-memory-reducer"]);
});

test("what it throws comes back as a message, and it goes on", async () => {
  const server = await child(answers);
  await server.ready;
  await expect(server.ask("fail")).rejects.toThrow(new Error("expected more"));
  expect(await server.ask("double", 1)).toBe(2);
});

test("a child that dies is reported with its exit code and its last words, then and later", async () => {
  const server = await child(answers);
  await server.ready;
  await expect(server.ask("die")).rejects.toThrow(
    'expected the server to answer "die", but it ended with code 3, saying: out of memory',
  );
  await expect(server.ask("double", 1)).rejects.toThrow(
    'expected the server to answer "double", but it ended with code 3, saying: out of memory',
  );
});

test("a child that cannot start is reported with why", async () => {
  const server = await child(`throw new Error("no binary for this Node");`);
  await expect(server.ready).rejects.toThrow(
    /^expected the server to be ready, but it ended with code 1, saying: .*no binary for this Node/s,
  );
});

test("a child that does not answer in time is reported", async () => {
  const server = await child(answers);
  await server.ready;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const result = expect(server.ask("sleep")).rejects.toThrow(
    `expected the server to answer "sleep" within ${timeLimit} ms, got nothing`,
  );
  vi.advanceTimersByTime(timeLimit);
  await result;
});

test("it is asked one question at a time", async () => {
  const server = await child(answers);
  await server.ready;
  const first = server.ask("double", 2);
  await expect(server.ask("double", 3)).rejects.toThrow(TypeError);
  expect(await first).toBe(4);
});

test("one that will not end is ended", async () => {
  const server = await child(`
    process.on("SIGTERM", () => process.send({ value: "I stay" }));
    process.send({ value: "ready" });
    setInterval(() => {}, 1000);
  `);
  await server.ready;
  const refused = server.ask("double", 1);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const ended = server.end();
  expect(await refused).toBe("I stay");
  vi.advanceTimersByTime(2_000);
  await ended;
  await expect(server.ask("double", 1)).rejects.toThrow("but it ended with SIGKILL");
});
