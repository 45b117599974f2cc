import type { ServerState } from "./server.js";

/** How often a server is asked whether it is idle, and after how many milliseconds. */
const patience = { times: 60, every: 500 } as const;

/** Resolves when no connection is left, or with what there is after half a minute. */
export async function untilIdle(look: () => Promise<ServerState>): Promise<ServerState> {
  let state = await look();
  for (let left = patience.times; left > 0 && isBusy(state); left--) {
    await new Promise((resolve) => setTimeout(resolve, patience.every));
    state = await look();
  }
  return state;
}

function isBusy({ connections }: ServerState): boolean {
  return connections.http + connections.websocket > 0;
}
