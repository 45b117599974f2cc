import {
  type AccountUser,
  accountUser,
  type PasswordHasher,
  UsernameTaken,
  type UserRecord,
  type UserStore,
} from "@sluice/core";
import { blankFaults, passwordFaults } from "./password.js";
import { normalizeUsername, usernameFaults } from "./username.js";

export interface Registration {
  readonly username: string;
  readonly password: string;
  /** What others are shown. */
  readonly name?: string;
  readonly isSuperuser?: boolean;
}

/** Faults by field, in the shape and the words of Django REST framework. */
export type FieldFaults = Readonly<Record<string, readonly string[]>>;

/** A registration or a password that cannot be taken as it is. */
export class InvalidFields extends Error {
  override readonly name = "InvalidFields";
  readonly fields: FieldFaults;

  constructor(fields: FieldFaults) {
    super(Object.values(fields).flat().join(" "));
    this.fields = fields;
  }
}

const maxNameLength = 150;
const takenUsername = "A user with that username already exists.";

/** Who may log in, and with what. */
export class Accounts {
  readonly #users: UserStore;
  readonly #hasher: PasswordHasher;
  /** Checked where there is no user, so that the answer takes the same time. */
  readonly #nobodysHash: string;

  private constructor(users: UserStore, hasher: PasswordHasher, nobodysHash: string) {
    this.#users = users;
    this.#hasher = hasher;
    this.#nobodysHash = nobodysHash;
  }

  static async open(users: UserStore, hasher: PasswordHasher): Promise<Accounts> {
    return new Accounts(users, hasher, await hasher.hash("nobody's password"));
  }

  /** Rejects with `InvalidFields`. `checkPassword: false` is for an operator who has been warned. */
  async register(registration: Registration, options: { readonly checkPassword?: boolean } = {}): Promise<AccountUser> {
    const username = normalizeUsername(registration.username);
    const { name = "", password } = registration;
    const named = { username: usernameFaults(username), name: nameFaults(name) };
    // A password is compared with the names, word by word: not with what cannot be one.
    const owner = isSound(named) ? { username, name } : { username: "", name: "" };
    throwIfAny({
      ...named,
      password: options.checkPassword === false ? blankFaults(password) : passwordFaults(password, owner),
    });
    // Before the expensive hash, and again by the store, which alone can decide between two at a time.
    if ((await this.#users.findByUsername(username)) !== undefined)
      throw new InvalidFields({ username: [takenUsername] });
    const passwordHash = await this.#hasher.hash(password);
    try {
      return accountUser(
        await this.#users.create({ username, name, passwordHash, isSuperuser: registration.isSuperuser ?? false }),
      );
    } catch (error) {
      if (error instanceof UsernameTaken) throw new InvalidFields({ username: [takenUsername] });
      throw error;
    }
  }

  /** The user, or undefined for any reason not to let them in; which one it was, not even the time it took tells. */
  async authenticate(username: string, password: string): Promise<AccountUser | undefined> {
    const user = await this.find(username);
    const matches = await this.#hasher.verify(user?.passwordHash ?? this.#nobodysHash, password);
    if (user === undefined || !matches || !user.isActive) return undefined;
    if (this.#hasher.needsRehash(user.passwordHash)) {
      await this.#users.setPasswordHash(user.id, await this.#hasher.hash(password));
    }
    return accountUser(user);
  }

  /** Rejects with `InvalidFields`. */
  async changePassword(
    user: UserRecord,
    password: string,
    options: { readonly checkPassword?: boolean } = {},
  ): Promise<void> {
    throwIfAny({ password: options.checkPassword === false ? blankFaults(password) : passwordFaults(password, user) });
    await this.#users.setPasswordHash(user.id, await this.#hasher.hash(password));
  }

  /** Without regard to case; undefined too for what can be nobody's name. */
  async find(username: string): Promise<UserRecord | undefined> {
    const normalized = normalizeUsername(username);
    return usernameFaults(normalized).length > 0 ? undefined : this.#users.findByUsername(normalized);
  }
}

function nameFaults(name: string): string[] {
  if (name.length > maxNameLength) return [`Ensure this field has no more than ${maxNameLength} characters.`];
  return name.includes("\0") ? ["Null characters are not allowed."] : [];
}

function isSound(faults: FieldFaults): boolean {
  return Object.values(faults).every((messages) => messages.length === 0);
}

function throwIfAny(faults: FieldFaults): void {
  if (isSound(faults)) return;
  throw new InvalidFields(Object.fromEntries(Object.entries(faults).filter(([, messages]) => messages.length > 0)));
}
