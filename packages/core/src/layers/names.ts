/** Names are shorter than this many characters. */
const nameLimit = 100;
const groupName = /^[A-Za-z0-9._-]+$/;
const channelName = /^[A-Za-z0-9._-]+(?:![A-Za-z0-9._-]+)?$/;
const characters = `fewer than ${nameLimit} ASCII letters, digits, "-", "_" and "."`;

/** Throws a `TypeError` for what is not the name of a group. */
export function checkGroupName(name: string): void {
  if (isName(name, groupName)) return;
  throw new TypeError(`expected a group name of ${characters}, got ${shown(name)}`);
}

/** Throws a `TypeError` for what is not the name of a channel. A process-local one has a `!` inside. */
export function checkChannelName(name: string): void {
  if (isName(name, channelName)) return;
  throw new TypeError(`expected a channel name of ${characters}, with at most one "!" inside, got ${shown(name)}`);
}

function isName(name: unknown, pattern: RegExp): boolean {
  return typeof name === "string" && name.length < nameLimit && pattern.test(name);
}

function shown(name: unknown): string {
  return typeof name === "string" ? JSON.stringify(name.slice(0, nameLimit)) : typeof name;
}
