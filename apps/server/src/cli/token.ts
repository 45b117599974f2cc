import type { Command } from "commander";
import { findUser } from "./find-user.js";
import { withServices } from "./with-services.js";

export function tokenCommand(program: Command): void {
  const token = program.command("token").description("make and end tokens");

  token
    .command("create")
    .description("make a token for a user and print it; it cannot be shown again")
    .argument("<username>")
    .option("--reset", "end the user's other tokens, JWTs included, and their connections")
    .action((username: string, options: { readonly reset?: true }) =>
      withServices(async (services) => {
        const user = await findUser(services, username);
        if (options.reset) await services.logins.endAllOf(user.id, "revoked");
        const issued = await services.tokens.issue(user.id);
        process.stdout.write(`Generated token ${issued.token} for user ${user.username}\n`);
      }),
    );

  token
    .command("revoke")
    .description("end every token of a user, JWTs included, and their connections")
    .argument("<username>")
    .action((username: string) =>
      withServices(async (services) => {
        const user = await findUser(services, username);
        const count = await services.logins.endAllOf(user.id, "revoked");
        process.stdout.write(`Revoked ${count} ${count === 1 ? "token" : "tokens"} of user ${user.username}\n`);
      }),
    );
}
