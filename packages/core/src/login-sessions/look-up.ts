import type { MaybePromise } from "../app.js";
import { DenyConnection } from "../errors.js";

/** Awaits a look-up. One that fails is the answer 503, with the reason as its cause: it says nothing of who is there. */
export async function lookUp<Found>(what: "Sessions" | "Users", find: () => MaybePromise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (cause) {
    throw new DenyConnection(
      {
        status: 503,
        headers: [
          ["content-type", "text/plain; charset=utf-8"],
          ["retry-after", "1"],
        ],
        body: `${what} cannot be looked up at the moment\n`,
        closeCode: 1013,
      },
      { cause },
    );
  }
}
