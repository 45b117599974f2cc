import { describe, expect, test } from "vitest";
import { BadMessage } from "../errors.js";
import { parseJson } from "./json-text.js";

/** What is thrown for `text`. */
function refusal(text: string): BadMessage {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof BadMessage) return error;
    throw error;
  }
  throw new Error(`expected a refusal of ${text.slice(0, 40)}`);
}

describe("parseJson", () => {
  test.each(['{"a":[1,"x",null]}', '"text"', "0", "null", " [] ", '{"":{}}', '"\\u00e9\\ud83d\\ude00"'])(
    "reads %s",
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  test.each(["", "{", "undefined", "{'a':1}", "[1,]", "NaN", "\u0000", '"\n"', "{}{}"])("refuses %j", (text) => {
    expect(refusal(text).message).toBe("expected JSON");
  });

  test("says nothing of what was in a bad message, which may be a password", () => {
    const error = refusal('{"password":"hunter2"');
    expect(error.cause).toBeUndefined();
    expect(`${error.message} ${error.stack}`).not.toContain("hunter2");
  });

  test.each([
    ["[", "]", 100],
    ['{"a":', "}", 100],
    ['[{"a":', "}]", 50],
  ])("takes 100 levels made of %s, and no more", (opening, closing, most) => {
    const nested = (times: number): string => `${opening.repeat(times)}0${closing.repeat(times)}`;
    expect(parseJson(nested(most))).toEqual(JSON.parse(nested(most)));
    expect(refusal(nested(most + 1)).message).toBe("expected JSON of at most 100 levels");
  });

  test("survives a million levels", () => {
    expect(refusal("[".repeat(1_000_000)).message).toBe("expected JSON of at most 100 levels");
    expect(refusal('{"a":'.repeat(1_000_000)).message).toBe("expected JSON of at most 100 levels");
  });

  test.each([
    ["brackets in a string", JSON.stringify("[".repeat(300))],
    ["brackets in a string behind quotes", JSON.stringify('"\\'.repeat(10) + "[{".repeat(300))],
    ["brackets in a key", JSON.stringify({ ["[".repeat(300)]: "{".repeat(300) })],
    ["many shallow lists", JSON.stringify(Array.from({ length: 300 }, () => []))],
  ])("does not take %s for depth", (_name, text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test("finds depth behind a string with escapes", () => {
    const escapes = String.raw`["\\","\"","${"]".repeat(200)}",`;
    expect(refusal(escapes + "[".repeat(100)).message).toBe("expected JSON of at most 100 levels");
  });

  test.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"a":[{"__proto__" \n : 1}]}',
    '{"\\u005f_proto__":1}',
    '{"__pr\\u006fto__":1}',
    '{"\\u005F\\u005f\\u0070\\u0072\\u006F\\u0074\\u006f\\u005f\\u005f":1}',
  ])("refuses the prototype as a key: %s", (text) => {
    // So that the case is one at all.
    expect(JSON.stringify(JSON.parse(text))).toContain('"__proto__"');
    expect(refusal(text).message).toBe('expected JSON without a "__proto__" key');
  });

  test.each([
    '{"text":"what is __proto__ ?"}',
    '"__proto__"',
    '{"text":"\\"__proto__\\" : 1"}',
    '{"proto":1,"__PROTO__":2}',
  ])("takes it as a word: %s", (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});
