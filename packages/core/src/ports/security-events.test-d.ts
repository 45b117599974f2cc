import { expectTypeOf, it } from "vitest";
import type { OnSecurityEvent, SecurityEvent } from "./security-events.js";

it("is told apart by its type, and has a user where there is one for certain", () => {
  const listener: OnSecurityEvent = (event) => {
    if (event.type === "login") expectTypeOf(event.userId).toEqualTypeOf<string>();
    if (event.type === "failure") expectTypeOf(event.userId).toEqualTypeOf<string | undefined>();
    if (event.type === "revocation") expectTypeOf(event.closed).toEqualTypeOf<number>();
    if (event.type === "reuse") expectTypeOf(event.sessionId).toEqualTypeOf<string>();
  };
  expectTypeOf(async () => {}).toExtend<typeof listener>();
});

it("has none but its own reasons, and nowhere to put a token", () => {
  // @ts-expect-error that is a refusal's
  const misplaced: SecurityEvent = { type: "failure", reason: "origin" };
  // @ts-expect-error there is no such field
  const telling: SecurityEvent = { type: "failure", reason: "invalid_token", token: "secret" };
  expectTypeOf([misplaced, telling]).toExtend<readonly SecurityEvent[]>();
});
