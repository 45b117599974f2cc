const maxLength = 150;

/** The form in which names that look the same are the same (NFKC, as in Django). */
export function normalizeUsername(username: string): string {
  return username.normalize("NFKC");
}

/** What is wrong with a normalized username, in Django's words; empty if nothing is. */
export function usernameFaults(username: string): string[] {
  if (username === "") return ["This field may not be blank."];
  if (username.length > maxLength) return [`Ensure this field has no more than ${maxLength} characters.`];
  if (!/^[\p{L}\p{N}_.@+-]+$/u.test(username)) {
    return ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."];
  }
  return [];
}
