import { z } from "zod";

/** What somebody can say. */
export const messageText = z
  .string()
  .min(1, "expected a message that is not empty")
  .max(4_000, "expected a message of at most 4000 characters")
  .refine((text) => !text.includes("\0"), "expected a message without null characters");
