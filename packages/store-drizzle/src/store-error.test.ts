import { StoreUnavailable } from "@sluice/core";
import { DrizzleQueryError } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { guarded, isUniqueViolation, storeError } from "./store-error.js";

function driverError(code: string, message = "what the driver says"): Error {
  return Object.assign(new Error(message), { code });
}

describe("an error of a driver", () => {
  test.each(["ECONNREFUSED", "ENOTFOUND", "CONNECT_TIMEOUT", "CONNECTION_CLOSED", "57P01", "53300", "08006", "28P01"])(
    "%s means that there is no database to talk to",
    (code) => {
      const cause = driverError(code);
      expect(storeError(cause)).toBeInstanceOf(StoreUnavailable);
      expect(storeError(cause)).toMatchObject({
        message: "the database cannot be reached: what the driver says",
        cause,
      });
    },
  );

  test.each(["42P01", "22001", "57014", "53100", "XX000"])("%s is handed on as it is", (code) => {
    const error = driverError(code);
    expect(storeError(error)).toBe(error);
  });

  test("of several addresses, all of which failed, is told by its code", () => {
    const error = Object.assign(new AggregateError([new Error("a"), new Error("b")]), { code: "ECONNREFUSED" });
    expect(storeError(error)).toMatchObject({ message: "the database cannot be reached: ECONNREFUSED" });
  });

  test("about a user who is not there is a TypeError", () => {
    expect(storeError(driverError("23503"))).toBeInstanceOf(TypeError);
  });

  test("about a key that is taken can be told apart", () => {
    expect(isUniqueViolation(driverError("23505"))).toBe(true);
    expect(isUniqueViolation(driverError("23503"))).toBe(false);
    expect(isUniqueViolation("23505")).toBe(false);
  });
});

test("Drizzle's error gives way to the driver's, which loses the parameters", async () => {
  const cause = Object.assign(driverError("42P01"), { query: "select $1", params: ["se-cret"] });
  const rejected = guarded(Promise.reject(new DrizzleQueryError("select $1", ["se-cret"], cause)));
  await expect(rejected).rejects.toBe(cause);
  expect(cause).not.toHaveProperty("params");
  expect(cause).toHaveProperty("query");
});

test("what is no error is handed on", () => {
  expect(storeError("a string")).toBe("a string");
  expect(storeError(undefined)).toBeUndefined();
});
