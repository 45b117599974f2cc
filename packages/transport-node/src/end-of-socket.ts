import type { Socket } from "node:net";

/** Milliseconds a client has to take what was written and to end its own side. */
const lingerTime = 2_000;

/**
 * Writes the last bytes, reads on until the client has ended its side, and cuts the connection if it does not. To cut it
 * at once could take back what the client has not read yet (RFC 9112 9.6).
 */
export function endSoon(socket: Socket, last: Uint8Array): void {
  socket.end(last);
  socket.resume();
  cutLater(socket);
}

/** Cuts the connection as soon as what was written is with the system. */
export function cutSoon(socket: Socket): void {
  socket.destroySoon();
  cutLater(socket);
}

function cutLater(socket: Socket): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lingerTime);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
}

/** Milliseconds that what was written last has to get to the system before connections are cut. */
const flushTime = 500;

/** Cuts the connections as soon as what was written is with the system, and those where that takes long. */
export async function cutAll(sockets: Iterable<Socket>): Promise<void> {
  const open = [...sockets].filter((socket) => !socket.closed);
  const gone = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  for (const socket of open) socket.destroySoon();
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, flushTime);
  await Promise.all(gone);
  clearTimeout(timer);
}
