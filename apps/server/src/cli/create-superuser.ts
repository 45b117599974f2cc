import { input } from "@inquirer/prompts";
import type { Command } from "commander";
import { InvalidFields, type Registration } from "../accounts/accounts.js";
import type { Services } from "../services.js";
import { askPassword, askToBypass, onlyPassword, requireTerminal } from "./ask-password.js";
import { CommandFailure } from "./failure.js";
import { withServices } from "./with-services.js";

interface Options {
  readonly username?: string;
  readonly name?: string;
  /** False with --no-input. */
  readonly input: boolean;
}

export function createSuperuserCommand(program: Command): void {
  program
    .command("createsuperuser")
    .description("create a user who may do everything")
    .option("--username <name>", "the login name (environment: SUPERUSER_USERNAME)")
    .option("--name <text>", "the name others are shown (environment: SUPERUSER_NAME)")
    .option("--no-input", "ask nothing; the password comes from the environment: SUPERUSER_PASSWORD")
    .action((options: Options) => withServices((services) => createSuperuser(services, options)));
}

async function createSuperuser({ accounts }: Services, options: Options): Promise<void> {
  const { SUPERUSER_USERNAME, SUPERUSER_NAME = "", SUPERUSER_PASSWORD } = process.env;
  const given = options.username ?? SUPERUSER_USERNAME;
  const name = options.name ?? SUPERUSER_NAME;
  if (!options.input) {
    if (given === undefined) throw new CommandFailure("expected --username or SUPERUSER_USERNAME with --no-input");
    if (SUPERUSER_PASSWORD === undefined) throw new CommandFailure("expected SUPERUSER_PASSWORD with --no-input");
    await register(accounts, { username: given, name, password: SUPERUSER_PASSWORD });
    return;
  }
  requireTerminal();
  const username = given ?? (await input({ message: "Username:", required: true }));
  const registration = { username, name, password: await askPassword() };
  try {
    await register(accounts, registration);
  } catch (error) {
    if (!(error instanceof InvalidFields) || !onlyPassword(error)) throw error;
    if (!(await askToBypass(error.fields))) throw new CommandFailure("No user was created.");
    await register(accounts, registration, { checkPassword: false });
  }
}

async function register(
  accounts: Services["accounts"],
  registration: Registration,
  options?: { checkPassword: boolean },
): Promise<void> {
  await accounts.register({ ...registration, isSuperuser: true }, options);
  process.stdout.write("Superuser created successfully.\n");
}
