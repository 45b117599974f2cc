import type { Logger } from "@sluice/core";

/**
 * Awaits `work`, and ends the process with `exitCode` when it has not ended by itself `deadline` milliseconds from now:
 * whether `work` hangs, or it has left something behind that keeps the process alive. Rejects as `work` does, after which
 * the exit code is 1.
 */
export async function stopBy(deadline: number, exitCode: number, work: Promise<void>, logger: Logger): Promise<void> {
  let failed = false;
  const timer = setTimeout(() => {
    logger.warn({ deadline }, "not everything was closed before the deadline");
    process.exit(failed ? 1 : exitCode);
  }, deadline);
  try {
    await work;
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    timer.unref();
  }
}
