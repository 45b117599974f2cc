/**
 * What a transport's `listen` rejects with: `code` is the system's, such as `"EADDRINUSE"`, and says why `address` cannot
 * be listened on.
 */
export function listenError(address: string, code: string | undefined, cause?: unknown): Error {
  const known = code ?? "EUNKNOWN";
  const error = new Error(`cannot listen on ${address} (${known})`, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: known });
}
