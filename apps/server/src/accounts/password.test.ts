import { describe, expect, it } from "vitest";
import { normalizePassword, passwordFaults } from "./password.js";

const ada = { username: "ada.lovelace", name: "Ada Lovelace" };
const common = "This password is too common.";
const numeric = "This password is entirely numeric.";
const short = "This password is too short. It must contain at least 8 characters.";
const similar = (what: string) => `The password is too similar to the ${what}.`;

describe("passwordFaults", () => {
  it.each([
    ["correct horse battery", []],
    ["éèêëàâäù", []],
    ["😀😁😂🤣😃😄😅😆", []],
    ["x".repeat(1024), []],
    ["x".repeat(1025), ["Ensure this field has no more than 1024 characters."]],
    ["two words, and 64 characters to say what nobody could ever guess.".repeat(2), []],
    // Each becomes eighteen.
    ["\ufdfa".repeat(64), []],
    ["e\u0301".repeat(513), ["Ensure this field has no more than 1024 characters."]],
    ["x".repeat(1_000_000), ["Ensure this field has no more than 1024 characters."]],
    ["", ["This field may not be blank."]],
    // Eight as they are typed, four as they are kept.
    ["e\u0301a\u0300i\u0302o\u0308", [short]],
    ["Ｐａｓｓｗｏｒｄ１", [common]],
    ["x7!kq9?", [short]],
    ["😀😁😂🤣😃😄😅", [short]],
    ["Password1", [common]],
    ["12345678", [common, numeric]],
    ["٣٨٤٧٢٩١٠٥", [numeric]],
    ["lovelace", [similar("username"), similar("name"), common]],
    ["Lovelace99", [similar("username"), similar("name")]],
    ["ada.lovelace", [similar("username"), similar("name")]],
  ])("%s", (password, faults) => {
    expect(passwordFaults(password, ada)).toEqual(faults);
  });

  it("does not hold an empty name or a single letter against a password", () => {
    expect(passwordFaults("correct horse battery", { username: "c", name: "" })).toEqual([]);
  });
});

describe("normalizePassword", () => {
  it.each([
    ["composed or not", "gr\u00fc\u00df dich, K\u00f6nig", "gru\u0308\u00df dich, Ko\u0308nig"],
    ["wide or narrow", "１２ｍｏｎｋｅｙｓ", "12monkeys"],
    ["with any kind of space", "two\u00a0words", "two words"],
    ["of Hangul, the longest there may be", "\ud55c".repeat(1024), "\u1112\u1161\u11ab".repeat(1024)],
  ])("makes the same of a password %s", (_, one, other) => {
    expect(one).not.toBe(other);
    expect(normalizePassword(one)).toBe(normalizePassword(other));
  });

  it("tells apart what looks different", () => {
    expect(normalizePassword("Stra\u00dfe")).not.toBe(normalizePassword("Strasse"));
    expect(normalizePassword("STAPLER")).not.toBe(normalizePassword("stapler"));
  });

  it("spends no time on what cannot be a password", () => {
    expect(normalizePassword("x".repeat(8193))).toBe("");
  });
});
