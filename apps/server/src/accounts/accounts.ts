import { createHash } from "node:crypto";
import {
  type AccountUser,
  type Address,
  accountUser,
  type PasswordHasher,
  UsernameTaken,
  type UserRecord,
  type UserStore,
} from "@sluice/core";
import type { TellSecurityEvent } from "../security-log.js";
import type { LoginThrottle } from "../throttle/login-throttle.js";
import { Throttled } from "../throttle/throttled.js";
import { impossibleFaults, normalizePassword, passwordFaults } from "./password.js";
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

/** Somebody who has shown their password. */
export interface Proof {
  readonly user: AccountUser;
  /** Whether it is still their password: it may be changed while they are being let in. To be asked once: an event tells of it. */
  stillHolds(): Promise<boolean>;
}

const maxNameLength = 150;
/** What events call the way a password comes by. */
const carrier = "password";
const wrongPassword = "Your old password was entered incorrectly. Please enter it again.";
const takenUsername = "A user with that username already exists.";

/** Who may log in, and with what. */
export class Accounts {
  readonly #users: UserStore;
  readonly #hasher: PasswordHasher;
  readonly #throttle: LoginThrottle;
  /** Checked where there is no user, so that the answer takes the same time. */
  readonly #nobodysHash: string;
  readonly #tell: TellSecurityEvent;

  private constructor(
    users: UserStore,
    hasher: PasswordHasher,
    throttle: LoginThrottle,
    tell: TellSecurityEvent,
    nobodysHash: string,
  ) {
    this.#users = users;
    this.#hasher = hasher;
    this.#throttle = throttle;
    this.#tell = tell;
    this.#nobodysHash = nobodysHash;
  }

  /** `tell` hears of each login and each that fails, and of those who have to wait. */
  static async open(
    users: UserStore,
    hasher: PasswordHasher,
    throttle: LoginThrottle,
    tell: TellSecurityEvent,
  ): Promise<Accounts> {
    return new Accounts(users, hasher, throttle, tell, await hasher.hash("nobody's password"));
  }

  /** What a client asks for. Rejects with `InvalidFields`, and with `Throttled` where too much was refused. */
  async signUp(registration: Registration, client: Address | undefined): Promise<AccountUser> {
    let refusal: unknown;
    const user = await this.#bounded("registration", client, undefined, () =>
      this.#throttle.registration(client, async () => {
        try {
          return await this.register(registration);
        } catch (error) {
          if (!(error instanceof InvalidFields)) throw error;
          refusal = error;
          return undefined;
        }
      }),
    );
    if (user === undefined) throw refusal;
    return user;
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
      password: options.checkPassword === false ? impossibleFaults(password) : passwordFaults(password, owner),
    });
    // Before the expensive hash, and again by the store, which alone can decide between two at a time.
    if ((await this.#users.findByUsername(username)) !== undefined)
      throw new InvalidFields({ username: [takenUsername] });
    const passwordHash = await this.#hasher.hash(normalizePassword(password));
    try {
      return accountUser(
        await this.#users.create({ username, name, passwordHash, isSuperuser: registration.isSuperuser ?? false }),
      );
    } catch (error) {
      if (error instanceof UsernameTaken) throw new InvalidFields({ username: [takenUsername] });
      throw error;
    }
  }

  /**
   * The user, or undefined for any reason not to let them in; which one it was, not even the time it took tells. Rejects with
   * `Throttled` where the client has to wait, be there such a user or not.
   */
  async authenticate(
    username: string,
    password: string,
    client: Address | undefined,
  ): Promise<AccountUser | undefined> {
    const known = await this.#known(username, normalizePassword(password), client);
    if (known === undefined) return undefined;
    this.#tell({ type: "login", userId: known.id, carrier, client: client?.host });
    return accountUser(known);
  }

  /** As `authenticate`, for who is to be given a token by which they are known from then on: a login only if it still holds. */
  async prove(username: string, password: string, client: Address | undefined): Promise<Proof | undefined> {
    const given = normalizePassword(password);
    const known = await this.#known(username, given, client);
    if (known === undefined) return undefined;
    const { id: userId } = known;
    return {
      user: accountUser(known),
      stillHolds: async () => {
        const holds = await this.#stillHolds(known, given);
        const circumstances = { userId, carrier, client: client?.host };
        if (holds) this.#tell({ type: "login", ...circumstances });
        else this.#tell({ type: "failure", reason: "invalid_credentials", ...circumstances });
        return holds;
      },
    };
  }

  async #known(username: string, password: string, client: Address | undefined): Promise<UserRecord | undefined> {
    const user = await this.find(username);
    return this.#attempt(user?.id ?? nobodysId(username), user, password, client);
  }

  async #stillHolds({ id, passwordHash }: UserRecord, password: string): Promise<boolean> {
    const now = await this.#users.findById(id);
    if (now === undefined || !now.isActive) return false;
    // Another login may have hashed the same password anew.
    return now.passwordHash === passwordHash || this.#hasher.verify(now.passwordHash, password);
  }

  /** Counts a wrong password against `account` and its client, and tells of it. */
  async #attempt(
    account: string,
    user: UserRecord | undefined,
    password: string,
    client: Address | undefined,
  ): Promise<UserRecord | undefined> {
    const known = await this.#bounded("login", client, user?.id, () =>
      this.#throttle.login(account, client, () => this.#verify(user, password)),
    );
    if (known === undefined) {
      // Where there is no such user, nothing of what was typed: it may be a password.
      this.#tell({ type: "failure", reason: "invalid_credentials", userId: user?.id, carrier, client: client?.host });
    }
    return known;
  }

  /** Tells of a client that has to wait. */
  async #bounded<Result>(
    limit: "login" | "registration",
    client: Address | undefined,
    userId: string | undefined,
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Throttled) this.#tell({ type: "limit", limit, userId, client: client?.host });
      throw error;
    }
  }

  /** The user as they are in the store; undefined where the password is wrong or they may not log in. */
  async #verify(user: UserRecord | undefined, password: string): Promise<UserRecord | undefined> {
    const matches = await this.#hasher.verify(user?.passwordHash ?? this.#nobodysHash, password);
    if (user === undefined || !matches || !user.isActive) return undefined;
    if (!this.#hasher.needsRehash(user.passwordHash)) return user;
    const passwordHash = await this.#hasher.hash(password);
    if (await this.#users.setPasswordHash(user.id, passwordHash, user.passwordHash)) return { ...user, passwordHash };
    // Somebody was faster, by the same password or a new one: what there is now decides.
    return this.#verify(await this.#users.findById(user.id), password);
  }

  /**
   * What a user asks for, who knows their password. Rejects with `InvalidFields`, and with `Throttled` where too many wrong ones
   * came. Of two who change it at a time one does. Their logins go on: `Logins.endAllOf` ends them.
   */
  async replacePassword(
    userId: string,
    { oldPassword, newPassword }: { readonly oldPassword: string; readonly newPassword: string },
    client: Address | undefined,
  ): Promise<void> {
    const user = await this.#users.findById(userId);
    throwIfAny({ new_password: passwordFaults(newPassword, user ?? { username: "", name: "" }) });
    const known = await this.#attempt(userId, user, normalizePassword(oldPassword), client);
    const changed =
      known !== undefined &&
      (await this.#users.setPasswordHash(
        userId,
        await this.#hasher.hash(normalizePassword(newPassword)),
        known.passwordHash,
      ));
    if (!changed) throw new InvalidFields({ old_password: [wrongPassword] });
  }

  /** Rejects with `InvalidFields`. */
  async changePassword(
    user: UserRecord,
    password: string,
    options: { readonly checkPassword?: boolean } = {},
  ): Promise<void> {
    throwIfAny({
      password: options.checkPassword === false ? impossibleFaults(password) : passwordFaults(password, user),
    });
    await this.#users.setPasswordHash(user.id, await this.#hasher.hash(normalizePassword(password)));
  }

  /** Without regard to case; undefined too for what can be nobody's name. */
  async find(username: string): Promise<UserRecord | undefined> {
    const normalized = normalizeUsername(username);
    return usernameFaults(normalized).length > 0 ? undefined : this.#users.findByUsername(normalized);
  }
}

/** Stands for an account that there is not: people mistype their password for their name. */
function nobodysId(username: string): string {
  return createHash("sha256").update(normalizeUsername(username).toLowerCase()).digest("base64url");
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
