/** What is published: a line of words, and the message behind it, which whoever has sent it need not parse again. */
export interface Envelope {
  readonly words: readonly string[];
  /** JSON, or empty. */
  readonly body: string;
}

export function sealEnvelope(words: readonly string[], body = ""): string {
  return `${words.join(" ")}\n${body}`;
}

/** Throws a `TypeError` for what is no envelope. */
export function openEnvelope(payload: string): Envelope {
  const end = payload.indexOf("\n");
  if (end === -1) throw new TypeError("expected a line of words and a message behind it, got no end of a line");
  return { words: payload.slice(0, end).split(" "), body: payload.slice(end + 1) };
}
