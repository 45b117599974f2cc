import type { Command } from "commander";
import { findUser } from "./find-user.js";
import { withServices } from "./with-services.js";

export function enableCommand(program: Command): void {
  program
    .command("enable")
    .description("let a user in again who was disabled; they have to log in")
    .argument("<username>")
    .action((username: string) =>
      withServices(async (services) => {
        const user = await findUser(services, username);
        await services.database.users.setActive(user.id, true);
        process.stdout.write(`Enabled user ${user.username}\n`);
      }),
    );
}
