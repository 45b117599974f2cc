import { Command, CommanderError } from "commander";
import { changePasswordCommand } from "./change-password.js";
import { createSuperuserCommand } from "./create-superuser.js";
import { disableCommand } from "./disable.js";
import { enableCommand } from "./enable.js";
import { migrateCommand } from "./migrate.js";
import { sendCommand } from "./send.js";
import { serveCommand } from "./serve.js";
import { tokenCommand } from "./token.js";
import { workerCommand } from "./worker.js";

const usageError = 2;

/** Runs one command line; resolves with the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function run(commandLine: readonly string[]): Promise<number> {
  const program = new Command("sluice")
    .description("The Sluice server. Settings come from the environment.")
    .showHelpAfterError("(--help lists what there is)")
    .exitOverride();
  const commands = [
    serveCommand,
    workerCommand,
    sendCommand,
    migrateCommand,
    createSuperuserCommand,
    changePasswordCommand,
    disableCommand,
    enableCommand,
    tokenCommand,
  ];
  for (const add of commands) add(program);
  try {
    await program.parseAsync(commandLine, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError;
    process.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
