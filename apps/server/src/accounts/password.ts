import { dictionary } from "@zxcvbn-ts/language-common";

const minLength = 8;
const maxLength = 1024;
/** UTF-16 units above which a text is no password in any form: composed it may be an eighth as long. */
const maxTypedLength = 8 * maxLength;
/** Django's threshold of `UserAttributeSimilarityValidator`. */
const maxSimilarity = 0.7;

const commonPasswords: ReadonlySet<string> = new Set(dictionary["passwords-common"]);

/** Whose password it is to be: it should not be like any of this. */
export interface Owner {
  readonly username: string;
  readonly name: string;
}

/**
 * The form in which passwords that look the same are the same, however a keyboard composes them (NFKC; NIST SP 800-63B). Blank,
 * as nobody's is, where it would take long.
 */
export function normalizePassword(password: string): string {
  return password.length > maxTypedLength ? "" : password.normalize("NFKC");
}

/** What is wrong with a new password, in the words of Django's validators; empty if nothing is. */
export function passwordFaults(typed: string, owner: Owner): string[] {
  const impossible = impossibleFaults(typed);
  if (impossible.length > 0) return impossible;
  const password = normalizePassword(typed);
  const faults: string[] = [];
  if (isSimilar(password, owner.username)) faults.push("The password is too similar to the username.");
  if (isSimilar(password, owner.name)) faults.push("The password is too similar to the name.");
  if ([...password].length < minLength) {
    faults.push(`This password is too short. It must contain at least ${minLength} characters.`);
  }
  if (commonPasswords.has(password.toLowerCase().trim())) faults.push("This password is too common.");
  if (/^\p{N}+$/u.test(password)) faults.push("This password is entirely numeric.");
  return faults;
}

/** The rules that nobody can ask to bypass. */
export function impossibleFaults(typed: string): string[] {
  if (typed === "") return ["This field may not be blank."];
  // As it was typed: some characters become eighteen, and who has typed 64 of them is to be told nothing of that.
  return typed.length > 2 * maxLength || [...typed].length > maxLength
    ? [`Ensure this field has no more than ${maxLength} characters.`]
    : [];
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
