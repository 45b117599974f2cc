import type { Answers } from "./answer-questions.js";
import { Child, type ChildOptions } from "./child.js";

/** The processes of a run, so that all of them end with it. */
export class Children {
  readonly #options: ChildOptions;
  readonly #children: { end(): Promise<void> }[] = [];
  #over = false;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** Resolves when the child can be asked. */
  async start<Table extends Answers<Table>>(name: string, module: URL): Promise<Child<Table>> {
    if (this.#over) throw new Error(`expected to start ${name}, but the run is over`);
    const child = new Child<Table>(name, module, this.#options);
    this.#children.push(child);
    await child.ready;
    return child;
  }

  /** Resolves when none is left. What waits for one of them is rejected. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#children.map((child) => child.end()));
  }
}
