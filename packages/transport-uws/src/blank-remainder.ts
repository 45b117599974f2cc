/**
 * A way around uWebSockets#1928, which is in the releases that npm has: after a corked upgrade in a later tick, the native
 * side reads the flags of the HTTP response once more. Their memory was given back by then, as a WebSocket is smaller.
 * Where somebody else has used it in between, what was left there can read as "close the connection", and it does, right
 * after its 101. V8 does use it at the first upgrade of a process: on Node 22 one process in four lost its first WebSocket.
 *
 * So it is overwritten with flags that say nothing. On a release without the fault this changes nothing.
 */

/** What an upgrade gives back: the 80 bytes by which a WebSocket is smaller, less the allocator's own 8. */
const size = 72;

/** As many blocks of one size as glibc sets aside for a thread: among them is the one that was given back last. */
const aside = 7;

/** To be called within the cork, after the upgrade. */
export function blankRemainder(): void {
  // Not alloc(), which takes its zeros from elsewhere.
  for (let count = 0; count < aside; count++) Buffer.allocUnsafeSlow(size).fill(0);
}
