/** An end that is no surprise: its message is for the operator, one line, without a stack trace. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}
