import type { Command } from "commander";
import { findUser } from "./find-user.js";
import { withServices } from "./with-services.js";

export function disableCommand(program: Command): void {
  program
    .command("disable")
    .description("let a user in no more, and end their tokens and connections")
    .argument("<username>")
    .action((username: string) =>
      withServices(async (services) => {
        const user = await findUser(services, username);
        await services.database.users.setActive(user.id, false);
        await services.logins.endAllOf(user.id, "disabled");
        process.stdout.write(`Disabled user ${user.username}\n`);
      }),
    );
}
