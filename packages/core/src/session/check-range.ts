import { ConfigurationError } from "../errors.js";

/** Throws `ConfigurationError` for what is not a whole number in the range. `orElse` says what is fine outside of it. */
export function checkRange(name: string, value: number, lowest: number, highest: number, orElse = ""): void {
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new ConfigurationError(
      `expected ${name} to be ${orElse}a whole number from ${lowest} to ${highest}, got ${value}`,
    );
  }
}
