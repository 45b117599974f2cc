import type { HeldLease } from "./lease.js";
import type { Revocation } from "./revocation.js";

/** The leases of a process, by what can be revoked. */
export class LeaseIndex {
  readonly #names: Readonly<Record<Revocation["of"], Names>> = {
    token: new Names(),
    session: new Names(),
    user: new Names(),
  };

  /** How many different ones there are. */
  count(of: Revocation["of"]): number {
    return this.#names[of].size;
  }

  add(lease: HeldLease): void {
    const { tokenId, sessionId, user } = lease.grant;
    this.#names.token.add(tokenId, lease);
    if (sessionId !== undefined) this.#names.session.add(sessionId, lease);
    this.#names.user.add(user.id, lease);
  }

  delete(lease: HeldLease): void {
    const { tokenId, sessionId, user } = lease.grant;
    this.#names.token.delete(tokenId, lease);
    if (sessionId !== undefined) this.#names.session.delete(sessionId, lease);
    this.#names.user.delete(user.id, lease);
  }

  /** A copy: it may be gone through while leases end. */
  find(of: Revocation["of"], id: string): readonly HeldLease[] {
    return this.#names[of].find(id);
  }
}

/** Leases by one name. Most names have a single lease, which then stands for itself: a set would be larger than the lease. */
class Names {
  readonly #leases = new Map<string, HeldLease | Set<HeldLease>>();

  get size(): number {
    return this.#leases.size;
  }

  add(id: string, lease: HeldLease): void {
    const known = this.#leases.get(id);
    if (known === undefined) this.#leases.set(id, lease);
    else if (known instanceof Set) known.add(lease);
    else this.#leases.set(id, new Set([known, lease]));
  }

  delete(id: string, lease: HeldLease): void {
    const known = this.#leases.get(id);
    if (known instanceof Set) {
      known.delete(lease);
      if (known.size > 0) return;
    }
    this.#leases.delete(id);
  }

  find(id: string): readonly HeldLease[] {
    const known = this.#leases.get(id);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }
}
