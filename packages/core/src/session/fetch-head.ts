import type { RequestHead } from "../ports/transport.js";

/** What a fetch server tells beside the request. */
export type FetchEnds = Pick<RequestHead, "client" | "server">;

/**
 * The head of a web `Request`, for transports on runtimes whose servers have a fetch handler. The fetch standard keeps
 * neither the order of header lines nor which of them were one line, and not every runtime keeps a target as it came.
 */
export function fetchHead({ method, url, headers }: Request, { client, server }: FetchEnds): RequestHead {
  const target = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const question = target.indexOf("?");
  return {
    method,
    rawPath: question < 0 ? target : target.slice(0, question),
    queryString: question < 0 ? "" : target.slice(question + 1),
    httpVersion: "1.1",
    headers: [...headers],
    secure: url.startsWith("https:"),
    client,
    server,
  };
}
