/** On Linux every address of 127.0.0.0/8 is this machine's. */
const count = process.platform === "linux" ? 64 : 0;

let last = 0;

/**
 * Where the next client is to connect from, each time another one. With thousands of connections from one address to one port,
 * present ones and those that the kernel still remembers, it searches long for a free port: that was four fifths of a driver's
 * time, and the server that waited for it worked in smaller lots.
 */
export function nextLocalAddress(): string | undefined {
  if (count === 0) return undefined;
  last = (last + 1) % count;
  return `127.0.0.${2 + last}`;
}
