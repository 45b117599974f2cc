import { describe, expect, it } from "vitest";
import { passwordFaults } from "./password.js";

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
