import type { Person } from "./connection.js";

/** Names that fit into a line. */
const most = 5;

/** Who is in a room, in a sentence; empty where that is not known. The reader comes last. */
export function inRoom(people: readonly Person[], reader: string | undefined): string {
  const others = people.filter(({ id }) => id !== reader).map(({ name, userName }) => name || userName);
  if (people.length === 0) return "";
  if (others.length === 0) return "Nobody else is here";
  const named = others.slice(0, most);
  const rest = others.length - named.length;
  return `Here: ${[...named, ...(rest > 0 ? [`${rest} more`] : []), "you"].join(", ")}`;
}
