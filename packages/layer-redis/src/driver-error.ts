/** What old servers add to an error: the words of the command, a password among them. */
const quotedArguments = /, with args beginning with:.*/s;

/**
 * An error of ioredis without what must not get into a log: its errors carry the command that failed, with a password in
 * the first commands of a connection and with messages in the later ones.
 */
export function driverError(error: unknown): Error {
  const { message, name, code } = causeOf(error);
  const copy: Error & { code?: string } = new Error(message.replace(quotedArguments, "") || code || name);
  copy.name = name;
  if (code !== undefined) copy.code = code;
  return copy;
}

/** Looks into the errors that only say that nothing worked: of all of a name's addresses, of all nodes of a Cluster. */
function causeOf(error: unknown): { message: string; name: string; code?: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error), name: "Error" };
  const { errors, lastNodeError, code } = error as { errors?: unknown[]; lastNodeError?: unknown; code?: string };
  const inner = lastNodeError ?? errors?.[0];
  if (inner instanceof Error) return causeOf(inner);
  return { message: error.message, name: error.name, code };
}
