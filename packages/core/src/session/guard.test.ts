import { RecordingLogger } from "@sluice/testing";
import { expect, it } from "vitest";
import { silentLogger } from "../ports/logger.js";
import { createGuard } from "./guard.js";

const fail = (): never => {
  throw new Error("boom");
};

it("hands the arguments on", () => {
  const seen: unknown[] = [];
  createGuard(silentLogger)((...all: unknown[]) => void seen.push(all))(1, "two");
  expect(seen).toEqual([[1, "two"]]);
});

it("logs what is thrown, and lets the rescue clean up", () => {
  const logger = new RecordingLogger();
  const rescued: unknown[] = [];
  createGuard(logger)(
    (_what: string) => fail(),
    (what) => rescued.push(what),
  )("it");
  expect(logger.errors).toEqual([new Error("boom")]);
  expect(rescued).toEqual(["it"]);
});

it("lets nothing through, even if the rescue and the logger fail", () => {
  const logger = { ...silentLogger, error: fail };
  expect(() => createGuard(logger)(fail, fail)()).not.toThrow();
});
