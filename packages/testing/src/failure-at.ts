/**
 * An error with the stack of `at`, which was made where the test called: what a timer or a socket throws has no line of
 * the test in its own.
 */
export function failureAt(at: Error, message: string, cause?: unknown): Error {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  const frames = at.stack?.slice(at.stack.indexOf("\n")) ?? "";
  error.stack = `${error.name}: ${message}${frames}`;
  return error;
}
