import type { UserRecord } from "@sluice/core";
import type { Services } from "../services.js";
import { CommandFailure } from "./failure.js";

export async function findUser({ accounts }: Services, username: string): Promise<UserRecord> {
  const user = await accounts.find(username);
  if (user === undefined) throw new CommandFailure(`user '${username}' does not exist`);
  return user;
}
