import { dictionary } from "@zxcvbn-ts/language-common";

const minLength = 8;
const maxLength = 1024;
/** Django's threshold of `UserAttributeSimilarityValidator`. */
const maxSimilarity = 0.7;

const commonPasswords: ReadonlySet<string> = new Set(dictionary["passwords-common"]);

/** Whose password it is to be: it should not be like any of this. */
export interface Owner {
  readonly username: string;
  readonly name: string;
}

/** What is wrong with a new password, in the words of Django's validators; empty if nothing is. */
export function passwordFaults(password: string, owner: Owner): string[] {
  const blank = blankFaults(password);
  if (blank.length > 0) return blank;
  const length = [...password].length;
  if (length > maxLength) return [`Ensure this field has no more than ${maxLength} characters.`];
  const faults: string[] = [];
  if (isSimilar(password, owner.username)) faults.push("The password is too similar to the username.");
  if (isSimilar(password, owner.name)) faults.push("The password is too similar to the name.");
  if (length < minLength) {
    faults.push(`This password is too short. It must contain at least ${minLength} characters.`);
  }
  if (commonPasswords.has(password.toLowerCase().trim())) faults.push("This password is too common.");
  if (/^\p{N}+$/u.test(password)) faults.push("This password is entirely numeric.");
  return faults;
}

/** The one rule that nobody can ask to bypass. */
export function blankFaults(password: string): string[] {
  return password === "" ? ["This field may not be blank."] : [];
}

function isSimilar(password: string, attribute: string): boolean {
  const given = password.toLowerCase();
  return [attribute, ...attribute.split(/[^\p{L}\p{N}_]+/u)]
    .map((part) => part.toLowerCase())
    .some((part) => part !== "" && !isMuchShorter(part, given) && similarity(given, part) >= maxSimilarity);
}

/** A short part cannot be what a long password consists of, however many of its letters occur in it. */
function isMuchShorter(part: string, password: string): boolean {
  return password.length >= 10 * part.length && part.length < (maxSimilarity / 2) * password.length;
}

/** Twice the characters two texts share, over the characters they have: difflib's `quick_ratio`. */
function similarity(one: string, other: string): number {
  const left = new Map<string, number>();
  for (const character of other) left.set(character, (left.get(character) ?? 0) + 1);
  let shared = 0;
  for (const character of one) {
    const count = left.get(character) ?? 0;
    if (count > 0) shared++;
    left.set(character, count - 1);
  }
  return (2 * shared) / (one.length + other.length);
}
