import type { Command } from "commander";
import { withServices } from "./with-services.js";

export function migrateCommand(program: Command): void {
  program
    .command("migrate")
    .description("bring the database's tables up to date")
    .action(() =>
      withServices(async () => {
        process.stdout.write("The database is up to date.\n");
      }),
    );
}
