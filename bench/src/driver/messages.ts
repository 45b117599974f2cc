/** In bytes, of text and of JSON. */
const messageSize = 66;

/** `start` and `end`, with as many words between that it is as long as every message is. */
export function padded(start: string, end: string): string {
  return `${start}${"Hello, world. ".repeat(5).slice(0, messageSize - start.length - end.length)}${end}`;
}

/** The message that has this number, and no other. */
export function message(number: number): string {
  return padded(`{"type":"message","number":${String(number).padStart(6, "0")},"text":"`, '"}');
}
