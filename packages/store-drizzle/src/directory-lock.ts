import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A directory is in use by another process, or by another part of this one. */
export class DirectoryInUse extends Error {
  override readonly name = "DirectoryInUse";
  /** Of the process that uses it. */
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(`${directory} is in use by process ${pid}`);
    this.pid = pid;
  }
}

/** The right to a directory. */
export interface DirectoryLock {
  release(): Promise<void>;
}

const lockName = /^lock\.(\d+)\.[0-9a-f]{8}$/;

/** Attempts before a directory counts as taken, and the longest pause between two, in milliseconds. */
const attempts = 8;
const longestPause = 100;

/** What every system has room for in the address of a Unix socket (104 bytes on macOS, 108 on Linux), less the end. */
const longestAddress = 103;

/**
 * Takes a directory for this process alone, or throws `DirectoryInUse`.
 *
 * A process that wants the directory listens on a Unix socket in it, and then has it if no other socket there answers.
 * Of two that come at the same time, the later one to listen is sure to meet the earlier. Both may: then both draw
 * back, and try again after a pause of random length.
 *
 * The kernel closes a socket when its process dies, however that happens, so a lock cannot outlive its process, and a
 * process id that came to mean another process makes no difference. A file with a process id in it could not tell, nor
 * could a lock with an expiry time without making the next start wait. Containers that share the directory on one
 * machine see each other; machines that share it over a network do not.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  for (let attempt = 1; ; attempt += 1) {
    const name = `lock.${process.pid}.${randomBytes(4).toString("hex")}`;
    const server = await listen(addressOf(directory, name));
    const release = () => close(server);
    try {
      const { rival, dead } = await others(directory, name);
      // Whoever had the directory before may have swept this socket away as dead, while it only began to listen.
      if (rival === undefined && existsSync(join(directory, name))) {
        for (const file of dead) rmSync(join(directory, file), { force: true });
        return { release };
      }
      if (attempt >= attempts) throw refusal(directory, rival);
    } catch (error) {
      await release();
      throw error;
    }
    await release();
    await delay(Math.random() * longestPause);
  }
}

function refusal(directory: string, rival: number | undefined): Error {
  return rival === undefined
    ? new Error(`${directory} does not keep a Unix socket: use a directory on a local file system`)
    : new DirectoryInUse(directory, rival);
}

/** The process behind a socket in the directory that answers, if there is one; and the sockets that nobody is behind. */
async function others(directory: string, self: string): Promise<{ rival: number | undefined; dead: string[] }> {
  const dead: string[] = [];
  for (const name of readdirSync(directory)) {
    const pid = lockName.exec(name)?.[1];
    if (pid === undefined || name === self) continue;
    if (await answers(addressOf(directory, name))) return { rival: Number(pid), dead };
    dead.push(name);
  }
  return { rival: undefined, dead };
}

/** True unless it is certain that no process listens: in doubt the directory is taken. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

function listen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", reject);
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Removes the socket's file, too. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function addressOf(directory: string, name: string): string {
  const absolute = join(directory, name);
  const nearby = relative(process.cwd(), absolute);
  const address = nearby.length < absolute.length ? nearby : absolute;
  if (Buffer.byteLength(address) > longestAddress) {
    throw new TypeError(
      `expected a directory whose path leaves room for the address of a Unix socket (${longestAddress} bytes), ` +
        `got ${absolute}: use a shorter path, or start from a directory nearer to it`,
    );
  }
  return address;
}
