const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True if the value fits a column of type uuid; PostgreSQL answers others with an error. */
export function isUuid(value: string): boolean {
  return uuid.test(value);
}

/** True if the value fits a column of type text, which holds any character but U+0000. */
export function isText(value: string): boolean {
  return !value.includes("\0");
}

/** Throws a `TypeError` for the first of these values that no text column can hold. */
export function assertText(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!isText(value)) {
      throw new TypeError(
        `expected ${name} without NUL characters (U+0000), which PostgreSQL cannot store, ` +
          `got one at index ${value.indexOf("\0")}`,
      );
    }
  }
}

/** Half a surrogate pair: JSON can write one, and PostgreSQL's `jsonb` cannot keep it. */
const loneSurrogate = /\p{Surrogate}/u;

/** Throws a `TypeError` for text in `value`, at whatever depth, that no `jsonb` column can hold. */
export function assertJson(name: string, value: unknown): void {
  if (typeof value === "string") {
    assertText({ [name]: value });
    if (loneSurrogate.test(value)) throw new TypeError(`expected ${name} without half a surrogate pair, got one`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      assertJson(`a name in ${name}`, key);
      assertJson(`${name}.${key}`, field);
    }
  }
}

/** Throws a `TypeError` for a reference to a user that no user can be behind. */
export function assertUserId(userId: string): void {
  if (!isUuid(userId)) throw new TypeError(`expected ${unknownUser}, got ${JSON.stringify(userId)}`);
}

/** What a refused reference to a user should have been. */
export const unknownUser = "the id of a user that exists";
