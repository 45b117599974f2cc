import { confirm, password } from "@inquirer/prompts";
import type { FieldFaults, InvalidFields } from "../accounts/accounts.js";
import { CommandFailure } from "./failure.js";

/** How often a password may be typed wrong before it is left be. */
const attempts = 3;

/** Throws where nobody can be asked: a script that forgot --no-input would hang, or see a prompt fail. */
export function requireTerminal(): void {
  if (!process.stdin.isTTY) throw new CommandFailure("expected a terminal to ask on; use --no-input in a script");
}

/** Asks twice for a new password, as Django does, until both are the same. */
export async function askPassword(): Promise<string> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const first = await password({ message: "Password:" });
    const second = await password({ message: "Password (again):" });
    if (first !== second) process.stderr.write("Error: Your passwords didn't match.\n");
    else if (first === "") process.stderr.write("Error: Blank passwords aren't allowed.\n");
    else return first;
  }
  throw new CommandFailure(`Aborted after ${attempts} attempts.`);
}

/** Shows what is wrong with a password, and asks whether to take it all the same. */
export async function askToBypass(faults: FieldFaults): Promise<boolean> {
  for (const fault of Object.values(faults).flat()) process.stderr.write(`${fault}\n`);
  return confirm({ message: "Bypass password validation anyway?", default: false });
}

/** True if the password alone stands in the way: an operator may insist on that, not on a name that is taken. */
export function onlyPassword(error: InvalidFields): boolean {
  return Object.keys(error.fields).every((field) => field === "password");
}
