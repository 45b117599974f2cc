import type { HeaderList, RequestHead } from "@sluice/core";

export interface RequestOptions {
  /** Names in any case; they are lower-cased as on a real connection. */
  readonly headers?: HeaderList;
  /** Where the client seems to come from. */
  readonly clientAddress?: string;
  readonly secure?: boolean;
}

/** A request head for a path such as `"/ws/chat/lobby/?token=abc"`, as a transport would have read it. */
export function requestHead(method: string, target: string, options: RequestOptions): RequestHead {
  const [rawPath = "", ...query] = target.split("?");
  return {
    method,
    rawPath,
    queryString: query.join("?"),
    httpVersion: "1.1",
    headers: (options.headers ?? []).map(([name, value]) => [name.toLowerCase(), value] as const),
    secure: options.secure ?? false,
    client: { host: options.clientAddress ?? "127.0.0.1", port: 50_000 },
    server: { host: "127.0.0.1", port: 80 },
  };
}
