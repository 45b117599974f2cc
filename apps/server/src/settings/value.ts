/** How one environment variable is read, by kind. */
import { z } from "zod";

/** Above it a timer of Node's fires at once. */
const highest = 2 ** 31 - 1;

/** `"a, b"` as `["a", "b"]`. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

export const flag = z
  .enum(["true", "false", "1", "0"], { error: "expected true or false" })
  .transform((text) => text === "true" || text === "1");

/** Digits only: `Number()` alone would take `0x10`, `1e3` and what is blank. */
export function wholeNumber(
  from: number,
  to: number = highest,
  { orZero = false }: { readonly orZero?: boolean } = {},
) {
  const error = `expected ${orZero ? "0, or " : ""}a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, { error, abort: true })
    .transform(Number)
    .refine((value) => (value >= from && value <= to) || (orZero && value === 0), { error });
}
