import { ClientDisconnected, DenyConnection, LayerUnavailable, RouteNotFound, SlowConsumer } from "../errors.js";

/** What an error that left the application means to a client that has not been answered yet. */
export function refusalOf(error: unknown): DenyConnection {
  if (error instanceof DenyConnection) return error;
  if (error instanceof RouteNotFound) return refusal(404, "Not Found");
  // What is missing comes back, where a fault of the application's stays.
  if (error instanceof LayerUnavailable) return refusal(503, "Service Unavailable", [["retry-after", "1"]]);
  return refusal(500, "Internal Server Error");
}

/** A refusal in words. */
export function refusal(
  status: number,
  text: string,
  headers: readonly (readonly [string, string])[] = [],
): DenyConnection {
  return new DenyConnection({
    status,
    headers: [["content-type", "text/plain; charset=utf-8"], ...headers],
    body: `${text}\n`,
  });
}

/** For what the server does not begin, or not finish, as it goes away. */
export function goingAway(): DenyConnection {
  return refusal(503, "Service Unavailable", [["connection", "close"]]);
}

/** For a request body beyond the limit: the connection ends, as nobody reads what is left of it. */
export function contentTooLarge(): DenyConnection {
  return refusal(413, "Content Too Large", [["connection", "close"]]);
}

/** True for what an application may let escape without anything being wrong with it. */
export function isOutcome(error: unknown): boolean {
  if (error instanceof DenyConnection) return error.status < 500;
  return error instanceof RouteNotFound || error instanceof ClientDisconnected || error instanceof SlowConsumer;
}
