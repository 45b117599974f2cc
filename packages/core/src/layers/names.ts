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

/** Throws a `TypeError` for what is not the name of a channel that several processes can read. */
export function checkSharedName(name: string): void {
  if (isName(name, groupName)) return;
  throw new TypeError(`expected the name of a named channel, of ${characters} and without "!", got ${shown(name)}`);
}

/** Throws a `TypeError` for what is not the name of a channel that can be in a group. */
export function checkMemberName(name: string): void {
  checkChannelName(name);
  if (isNamed(name)) {
    throw new TypeError(`expected a process-local channel as a member of a group, which has a "!", got ${shown(name)}`);
  }
}

/** True for the name of a channel that several processes can read, false for one that belongs to a process. */
export function isNamed(channel: string): boolean {
  return !channel.includes("!");
}

function isName(name: unknown, pattern: RegExp): boolean {
  return typeof name === "string" && name.length < nameLimit && pattern.test(name);
}

function shown(name: unknown): string {
  return typeof name === "string" ? JSON.stringify(name.slice(0, nameLimit)) : typeof name;
}
