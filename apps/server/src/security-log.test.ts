import type { SecurityEvent } from "@sluice/core";
import { FakeClock, RecordingLogger } from "@sluice/testing";
import { expect, it } from "vitest";
import { securityLog } from "./security-log.js";

const failure: SecurityEvent = { type: "failure", reason: "invalid_token", client: "192.0.2.1" };
const known = { userId: "1", client: "192.0.2.1" };

function world() {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const tell = securityLog(logger, clock);
  const taken = () => logger.lines.splice(0);
  return { clock, tell, taken };
}

it.each<[SecurityEvent, string]>([
  [{ type: "login", ...known, protocol: "websocket" }, "info"],
  [{ type: "login", ...known, carrier: "password" }, "info"],
  [{ type: "login", ...known, protocol: "http" }, "debug"],
  [{ type: "renewal", ...known }, "info"],
  [{ type: "revocation", of: "user", reason: "disabled", ...known, closed: 3, elsewhere: false }, "info"],
  [{ type: "reuse", sessionId: "s", ...known }, "warn"],
  [failure, "warn"],
  [{ type: "refusal", reason: "origin" }, "warn"],
  [{ type: "limit", limit: "login" }, "warn"],
])("%j is a line of its own, as %s", (event, level) => {
  const { tell, taken } = world();
  tell(event);
  expect(taken()).toEqual([{ level, fields: { event }, message: "security event" }]);
});

it("a flood has ten lines a second, and one that says how much more there was", async () => {
  const { clock, tell, taken } = world();
  const flood = (event: SecurityEvent) => {
    for (let count = 0; count < 1_000; count++) tell(event);
    return taken().length;
  };
  expect(flood(failure)).toBe(10);
  await clock.advance(999);
  expect(flood(failure)).toBe(0);
  await clock.advance(1);
  expect(taken()).toEqual([
    {
      level: "warn",
      fields: { event: { type: "failure", reason: "invalid_token" }, unlogged: 1_990 },
      message: "more security events",
    },
  ]);
  expect(flood({ type: "limit", limit: "tokens" })).toBe(10);
  await clock.advance(1_000);
  expect(taken()).toMatchObject([{ fields: { event: { type: "limit", limit: "tokens" }, unlogged: 990 } }]);
  for (let second = 0; second < 3; second++) {
    for (let count = 0; count < 10; count++) tell(failure);
    expect(taken()).toHaveLength(10);
    await clock.advance(1_000);
    expect(taken()).toEqual([]);
  }
});

it("a flood of one thing hides nothing else", () => {
  const { tell, taken } = world();
  for (let count = 0; count < 1_000; count++) tell(failure);
  taken();
  tell({ type: "failure", reason: "invalid_credentials" });
  for (let count = 0; count < 20; count++) tell({ type: "reuse", sessionId: `${count}`, ...known });
  for (let count = 0; count < 20; count++) tell({ type: "login", ...known });
  expect(taken()).toHaveLength(41);
});
