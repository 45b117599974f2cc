import { ConfigurationError } from "@sluice/core";
import postgres, { type Options } from "postgres";

/** One server that a URL names. */
export interface Server {
  readonly url: string;
  readonly options: Options<{}>;
}

/** The servers of a URL, of which there may be several: `postgres://user@one:5432,two:5432/name`. */
export function serversOf(url: string): readonly Server[] {
  // Nothing of the URL is shown, and there is no cause: both would hold the password.
  const wrong = new ConfigurationError(
    "expected a database URL such as postgres://user:password@host:5432/name, with special characters " +
      "percent-encoded, got something else",
  );
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url)) throw wrong;
  const connection = { application_name: "sluice-layer" };
  try {
    const { host, port } = postgres(url, { max: 1 }).options;
    if (host.length === 1) return [{ url, options: { connection } }];
    return host.map((name, index) => ({ url, options: { connection, host: name, port: port[index] } }));
  } catch {
    throw wrong;
  }
}
