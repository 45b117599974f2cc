import { Crowd } from "./crowd.js";
import { HandshakeLoad } from "./handshake-load.js";
import type { Server } from "./server.js";

/** Until so many handshakes have been made, or so many milliseconds are over: some at a time. */
const handshakes = 6_000;
const time = 2_000;
const atATime = 500;

/** Lets the code be compiled that every client needs. The rows have rounds to warm up for their own. */
export async function warmUp(server: Server): Promise<void> {
  const end = performance.now() + time;
  for (let done = 0; done < handshakes && performance.now() < end; done += atATime) {
    const load = new HandshakeLoad({ ...server, crowd: new Crowd(server), units: atATime, at: 1 });
    await load.prepare();
    await load.run();
    await load.finish();
  }
}
