import { BadMessage } from "../errors.js";

/** Deeper than any message has reason to be, and far from where a recursive reader of it runs out of stack. */
const maxDepth = 100;

/** The key `"__proto__"`, with any of its characters escaped. */
const protoKey =
  /"(?:_|\\u005[fF]){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006[fF])(?:t|\\u0074)(?:o|\\u006[fF])(?:_|\\u005[fF]){2}"\s*:/;

/**
 * Reads a client's JSON. Throws `BadMessage` for what is not JSON, for one nested more than 100 levels deep, and for a
 * `__proto__` key, which turns into somebody's prototype as soon as the message is merged into another object.
 */
export function parseJson(text: string): unknown {
  // A text must be twice as long as it is deep.
  if (text.length > 2 * maxDepth && hasManyBrackets(text) && isTooDeep(text)) {
    throw new BadMessage(`expected JSON of at most ${maxDepth} levels`);
  }
  if ((text.includes("__proto__") || text.includes("\\u00")) && protoKey.test(text)) {
    throw new BadMessage('expected JSON without a "__proto__" key');
  }
  try {
    return JSON.parse(text);
  } catch {
    // Not kept as the cause: its message quotes the text, and this one may be logged.
    throw new BadMessage("expected JSON");
  }
}

/** True if there are as many opening brackets as it takes to go too deep. Cheap, and false for nearly all messages. */
function hasManyBrackets(text: string): boolean {
  let found = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++found > maxDepth) return true;
    }
  }
  return false;
}

/** True if brackets, outside strings, are nested beyond the limit. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // \
        index++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!inString && ++depth > maxDepth) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!inString) depth--;
        break;
    }
  }
  return false;
}
