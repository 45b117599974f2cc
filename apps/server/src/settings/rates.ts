import { wholeNumber } from "./value.js";

const highest = 1_000_000;

/** How fast a client and a user may send, and how many connections a user may have: 0 means without bound. */
export const rateSettings = {
  MAX_MESSAGES_PER_SECOND: wholeNumber(0, highest).default(50),
  MAX_MESSAGES_PER_SECOND_PER_USER: wholeNumber(0, highest).default(100),
  MAX_CONNECTIONS_PER_USER: wholeNumber(0, highest).default(100),
};
