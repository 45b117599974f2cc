import type { Command } from "commander";
import { InvalidFields } from "../accounts/accounts.js";
import type { Services } from "../services.js";
import { askPassword, askToBypass, requireTerminal } from "./ask-password.js";
import { CommandFailure } from "./failure.js";
import { findUser } from "./find-user.js";
import { withServices } from "./with-services.js";

export function changePasswordCommand(program: Command): void {
  program
    .command("changepassword")
    .description("give a user a new password, and end their tokens and connections")
    .argument("<username>")
    .option("--no-input", "ask nothing; the password comes from the environment: NEW_PASSWORD")
    .action((username: string, options: { readonly input: boolean }) =>
      withServices((services) => changePassword(services, username, options.input)),
    );
}

async function changePassword(services: Services, username: string, interactive: boolean): Promise<void> {
  const user = await findUser(services, username);
  const { NEW_PASSWORD } = process.env;
  if (!interactive && NEW_PASSWORD === undefined) throw new CommandFailure("expected NEW_PASSWORD with --no-input");
  if (interactive) {
    requireTerminal();
    process.stdout.write(`Changing password for user '${user.username}'\n`);
  }
  const password = interactive ? await askPassword() : (NEW_PASSWORD ?? "");
  try {
    await services.accounts.changePassword(user, password);
  } catch (error) {
    if (!(error instanceof InvalidFields) || !interactive) throw error;
    if (!(await askToBypass(error.fields))) throw new CommandFailure("The password was not changed.");
    await services.accounts.changePassword(user, password, { checkPassword: false });
  }
  await services.logins.endAllOf(user.id, "password_changed");
  process.stdout.write(`Password changed successfully for user '${user.username}'\n`);
}
