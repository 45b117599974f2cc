import { expect, test } from "vitest";
import { driverError } from "./driver-error.js";

test("keeps what a person needs, and nothing of the command", () => {
  const error = Object.assign(new Error("WRONGPASS invalid password"), {
    name: "ReplyError",
    command: { name: "auth", args: ["hidden-word"] },
  });
  const shown = driverError(error);
  expect(shown).toMatchObject({ name: "ReplyError", message: "WRONGPASS invalid password" });
  expect(JSON.stringify({ ...shown })).not.toContain("hidden-word");
});

test("cuts off the words of a command that a server quotes", () => {
  const error = new Error("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hidden-word' ");
  expect(driverError(error).message).toBe("ERR unknown command 'HELLO'");
});

test.each([
  ["the first address of a name", new AggregateError([refused(), refused()], "")],
  ["the last node of a cluster", Object.assign(new Error("all failed"), { lastNodeError: refused() })],
])("names the reason: that of %s", (_, error) => {
  expect(driverError(error)).toMatchObject({ message: "connect ECONNREFUSED 127.0.0.1:1", code: "ECONNREFUSED" });
});

test.each([
  [Object.assign(new Error(""), { code: "ETIMEDOUT" }), "ETIMEDOUT"],
  [new Error(""), "Error"],
  ["a word", "a word"],
])("finds a message for %j", (error, message) => {
  expect(driverError(error).message).toBe(message);
});

function refused(): Error {
  return Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
}
