import { LostAfterUpgrade } from "./guest.js";

/** What the clients of a soak have done and met with. */
export interface Figures {
  /** Connections that were made, by how they behaved. */
  readonly visits: Readonly<Record<string, number>>;
  /** Messages that came back to who had said them. */
  readonly messages: number;
  /** WebSockets that ended right after their 101. */
  readonly lost: number;
  /** What went wrong, by how the connection behaved that met with it. */
  readonly errors: Readonly<Record<string, number>>;
  /** The first of each sort. */
  readonly examples: readonly string[];
}

export class Tally {
  readonly #visits = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  readonly #examples: string[] = [];
  #messages = 0;
  #lost = 0;

  visited(kind: string): void {
    this.#visits.set(kind, (this.#visits.get(kind) ?? 0) + 1);
  }

  message(): void {
    this.#messages++;
  }

  failed(kind: string, error: unknown): void {
    if (error instanceof LostAfterUpgrade) {
      this.#lost++;
      return;
    }
    const before = this.#errors.get(kind) ?? 0;
    this.#errors.set(kind, before + 1);
    if (before > 0) return;
    const cause = error instanceof Error && error.cause !== undefined ? `: ${error.cause}` : "";
    this.#examples.push(`${kind}: ${error instanceof Error ? error.message : String(error)}${cause}`);
  }

  get figures(): Figures {
    return {
      visits: Object.fromEntries(this.#visits),
      messages: this.#messages,
      lost: this.#lost,
      errors: Object.fromEntries(this.#errors),
      examples: this.#examples,
    };
  }
}
