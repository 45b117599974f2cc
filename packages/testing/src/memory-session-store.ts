import type { SessionChanges, SessionRecord, SessionStore } from "@sluice/core";

/** Sessions in memory, for tests of an application that has no database otherwise. It knows of no users. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, SessionRecord>();

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  async find(digest: string): Promise<SessionRecord | undefined> {
    return this.#sessions.get(digest);
  }

  async create(session: SessionRecord): Promise<void> {
    if (this.#sessions.has(session.digest))
      throw new Error("expected a session of a new digest, got one that is there");
    this.#sessions.set(session.digest, { ...session, data: copied(session.data) });
  }

  async replace(digest: string, session: SessionRecord): Promise<void> {
    await this.create(session);
    this.#sessions.delete(digest);
  }

  async save(digest: string, { set, remove }: SessionChanges): Promise<boolean> {
    const session = this.#sessions.get(digest);
    if (session === undefined) return false;
    const removed = new Set(remove);
    const kept = Object.entries({ ...session.data, ...copied(set) }).filter(([name]) => !removed.has(name));
    this.#sessions.set(digest, { ...session, data: Object.fromEntries(kept) });
    return true;
  }

  async touch(digest: string, lastSeenAt: number): Promise<void> {
    const session = this.#sessions.get(digest);
    if (session !== undefined) this.#sessions.set(digest, { ...session, lastSeenAt });
  }

  async remove(digest: string): Promise<boolean> {
    return this.#sessions.delete(digest);
  }

  async removeAllOf(userId: string): Promise<number> {
    const theirs = [...this.#sessions.values()].filter((session) => session.userId === userId);
    for (const { digest } of theirs) this.#sessions.delete(digest);
    return theirs.length;
  }
}

/** As it would come back out of a database. */
function copied(data: SessionRecord["data"]): SessionRecord["data"] {
  return JSON.parse(JSON.stringify(data)) as SessionRecord["data"];
}
