import type { z } from "zod";
import type { LoginThrottleRules } from "../throttle/login-throttle.js";
import { wholeNumber } from "./value.js";

/** How much guessing there may be. */
export const throttleSettings = {
  MAX_LOGIN_FAILURES_PER_ADDRESS: wholeNumber(0).default(100),
  LOGIN_FAILURES_BEFORE_DELAY: wholeNumber(1).default(5),
  MAX_LOGIN_DELAY: wholeNumber(0, 86_400).default(900),
  MAX_WRONG_TOKENS_PER_ADDRESS: wholeNumber(0).default(300),
};

export function loginRules(settings: z.infer<z.ZodObject<typeof throttleSettings>>): LoginThrottleRules {
  return {
    failuresPerAddress: settings.MAX_LOGIN_FAILURES_PER_ADDRESS,
    failuresBeforeDelay: settings.LOGIN_FAILURES_BEFORE_DELAY,
    longestDelay: settings.MAX_LOGIN_DELAY,
  };
}
