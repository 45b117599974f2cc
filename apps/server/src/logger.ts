import cluster from "node:cluster";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Settings } from "./settings.js";

/** Bytes of log that are kept for a destination that takes none. What comes on top is lost. */
const maxBacklog = 1024 * 1024;

/** Milliseconds until a destination that takes none is asked again, whether or not there is more to write. */
const retryInterval = 100;

/** How often the end of the process waits, 100 ms each time, for somebody to read what is left. */
const lastAttempts = 5;

/** Names of fields whose values are no business of a log's. */
const secrets = ["password", "token", "authorization", "cookie", "sec-websocket-protocol", "queryString"];

/**
 * JSON lines, or lines for people on a terminal. A destination that fails, such as a full disk, or that nobody reads, ends
 * and delays nothing: lines are kept for it for a while, then dropped.
 *
 * What is secret is kept out where it arises; this is the second net. It has holes: it knows a few names of fields, down
 * to two levels below the line's own, and neither lists of headers nor what is in a text.
 */
export function createLogger(settings: Pick<Settings, "LOG_LEVEL">, destination = standardOutput()): PinoLogger {
  const options = {
    level: settings.LOG_LEVEL,
    // Several processes write into one log.
    base: cluster.isWorker ? { pid: process.pid } : null,
    redact: {
      paths: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: "[redacted]",
    },
  };
  // There is nowhere left to complain to.
  process.stdout.on("error", () => {});
  return pino(options, process.stdout.isTTY ? forPeople(destination) : destination);
}

/**
 * Writes at once, so that what is logged before a crash is there after it; but waits for nobody. Left to itself the stream
 * would put the whole process to sleep for as long as the reader of a full pipe pleases.
 */
function standardOutput(): DestinationStream {
  let attemptsLeft = 0;
  const destination = pino.destination({ sync: true, maxLength: maxBacklog, retryEAGAIN: () => attemptsLeft-- > 0 });
  const writeWhatIsLeft = (): void => void destination.write("");
  let isRetrying = false;
  destination.on("error", () => {
    if (isRetrying) return;
    isRetrying = true;
    setTimeout(() => {
      isRetrying = false;
      writeWhatIsLeft();
    }, retryInterval).unref();
  });
  process.once("exit", () => {
    attemptsLeft = lastAttempts;
    writeWhatIsLeft();
  });
  return destination;
}

function forPeople(destination: DestinationStream): DestinationStream {
  const prettify = prettyFactory({ colorize: true, translateTime: "SYS:HH:MM:ss", singleLine: true });
  return { write: (line) => destination.write(prettify(line)) };
}
