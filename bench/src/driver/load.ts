/** Work for a server, of which only the middle part is measured. */
export interface Load {
  /** How many `run` does. */
  readonly units: number;
  prepare(): Promise<void>;
  /** Rejects if an answer is wrong, late or missing. Once. */
  run(): Promise<void>;
  /** Leaves. Resolves with the number of WebSockets that the server had closed before, unasked. */
  finish(): Promise<number>;
}
