import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

/** What the kernel knows about a process. */
export interface ProcessFigures {
  readonly pid: number;
  /** User and system time in microseconds, of all its threads. */
  cpu(): number;
  /** Resident bytes: of Node.js after a garbage collection, of another process as it is. */
  memory(): number | Promise<number>;
}

/** getrusage(2), to the microsecond. */
export const thisProcess: ProcessFigures = {
  pid: process.pid,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: async () => {
    await giveBack();
    return process.memoryUsage.rss();
  },
};

/** Makes V8 give back all the memory that it can. It would do much of that by itself, if it were let and there were time. */
async function giveBack(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}

/** A tick of proc(5) in microseconds: `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const tick = 10_000;

/** Another process, by proc(5): its time to the hundredth of a second. */
export function otherProcess(pid: number): ProcessFigures {
  return {
    pid,
    cpu: () => {
      // The name of the program stands in parentheses and may have any character; what follows is numbers.
      const [, after = ""] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      const fields = after.split(" ");
      // utime and stime, fields 14 and 15, where the state is field 3.
      return (Number(fields[11]) + Number(fields[12])) * tick;
    },
    memory: () => {
      const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      return Number(kibibytes) * 1024;
    },
  };
}
