import { constants } from "node:buffer";
import { type ServeOptions as CommonOptions, checkRange, checkServeOptions, type ServeSettings } from "@sluice/core";
import type { UWebSockets } from "./native.js";

export type ServeOptions = CommonOptions & {
  /**
   * The module, where it is not to be imported by the name `"uWebSockets.js"`.
   *
   * It reads the environment variable `UWS_HTTP_MAX_HEADERS_SIZE`, the bytes that a request's head may have, once in a
   * process: when it is imported first, on the main thread or with the main thread's variables. Unless the variable is
   * set, `serve` and `loadUWebSockets` set it to somewhat more than `limits.maxHeaderSize` before they import it. One
   * that is handed in has been imported before: then 4 KiB are what there is, unless `loadUWebSockets` did it. `serve`
   * warns of a bound below `limits.maxHeaderSize`. The module takes 98 header lines at most, whatever
   * `limits.maxHeaders` is; above either bound it answers 431 itself.
   */
  readonly uws?: UWebSockets;
};

/** Throws `ConfigurationError` for an option out of its range. */
export function checkOptions(options: ServeOptions): ServeSettings {
  const size = options.limits?.maxMessageSize;
  // A longer text could not be handed over as a string.
  if (size !== undefined) checkRange("limits.maxMessageSize", size, 1, constants.MAX_STRING_LENGTH);
  return checkServeOptions(options);
}
