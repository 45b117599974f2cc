import { FakeClock } from "@sluice/testing";
import { expect, test } from "vitest";
import { RecentRevocations } from "./recent-revocations.js";

test("of too many the oldest are forgotten, and it is known that they are", async () => {
  const clock = new FakeClock();
  const recent = new RecentRevocations(clock, 2);
  const endOf = (tokenId: string) =>
    recent.endOf({
      grant: { user: { isAuthenticated: true, id: "ada", username: "ada" }, tokenId, expiresAt: undefined },
      since: clock.now(),
    });
  expect(recent.since).toBe(clock.now() - 60_000);
  const first = clock.now();
  for (const id of ["t1", "t2", "t3"]) {
    recent.remember({ of: "token", id, reason: "revoked", issuedBefore: null });
    await clock.advance(1_000);
  }
  expect(["t1", "t2", "t3"].map(endOf)).toEqual([undefined, "revoked", "revoked"]);
  expect(recent.since).toBe(first);
  // One that is said again is no longer the oldest.
  recent.remember({ of: "token", id: "t2", reason: "disabled", issuedBefore: null });
  recent.remember({ of: "token", id: "t4", reason: "revoked", issuedBefore: null });
  expect(["t2", "t3", "t4"].map(endOf)).toEqual(["disabled", undefined, "revoked"]);
});
