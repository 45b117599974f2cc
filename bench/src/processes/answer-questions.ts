/** Functions that can be called from the process that has forked this one, by name. */
export type Answers<Table> = { readonly [Name in keyof Table]: (argument: never) => unknown };

export interface Question {
  readonly question: string;
  readonly argument: unknown;
}

export type Reply = { readonly value: unknown } | { readonly error: string };

/** The first message of a child: it is ready to be asked. */
export const ready: Reply = { value: "ready" };

/** Answers what the parent process asks, until the parent has gone: then this process ends, too. */
export function answerQuestions<Table extends Answers<Table>>(answers: Table): void {
  const reply = (content: Reply): void => {
    process.send?.(content);
  };
  const table = new Map<string, (argument: never) => unknown>(Object.entries(answers));
  const answer = async ({ question, argument }: Question): Promise<Reply> => {
    try {
      const ask = table.get(question);
      if (ask === undefined) throw new TypeError(`expected ${[...table.keys()].join(" or ")}, got ${question}`);
      return { value: await ask(argument as never) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
  process.on("message", (question: Question) => void answer(question).then(reply));
  for (const end of ["SIGTERM", "disconnect"]) process.once(end, () => process.exit());
  // Ctrl-C reaches every process of the terminal; the parent is the one who ends the run.
  process.on("SIGINT", () => {});
  reply(ready);
}
