import { createHash } from "node:crypto";

/** How many characters of a secret in a row are taken for the secret: by chance they do not come up. */
const tellingLength = 8;

/** What a password of the test's has in it, other than letters: what is escaped, composed, or read backwards. */
const oddities = ['"\\', "e\u0301%", "🔑&", "\u202e/", "ﬁ +", "ß'\u2028"];

export type Shape = "opaque" | "jwt" | "odd" | "long";

/** Every secret there has been, and whether a text gives one away. */
export class KnownSecrets {
  readonly #pieces = new Set<string>();
  readonly #seed: string;
  #made = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Makes up a secret that nothing else is like. */
  make(shape: Shape): string {
    this.#made += 1;
    const random = (part: number, length = 43): string =>
      createHash("shake256", { outputLength: length })
        .update(`${this.#seed} ${this.#made} ${part}`)
        .digest("base64url")
        .slice(0, length);
    const secret = {
      opaque: () => random(0),
      jwt: () => [0, 1, 2].map((part) => random(part)).join("."),
      odd: () => oddities.map((oddity, part) => random(part, 10) + oddity).join(""),
      long: () => random(0, 3_000),
    }[shape]();
    this.add(secret);
    return secret;
  }

  /** From now on it is to be seen nowhere, nor what it becomes where it is read as Latin-1 or normalized. */
  add(secret: string): void {
    const forms = [secret, secret.normalize("NFKC"), secret.normalize("NFC"), Buffer.from(secret).toString("latin1")];
    for (const form of new Set(forms)) {
      for (const piece of pieces(form)) this.#pieces.add(piece);
    }
  }

  /** The first line of `text` that has a secret or a piece of one in it, escaped or not; undefined if there is none. */
  lineShownIn(text: string): string | undefined {
    return text.split("\n").find((line) => readings(line).some((reading) => this.#shows(reading)));
  }

  #shows(text: string): boolean {
    for (const piece of pieces(text)) {
      if (this.#pieces.has(piece)) return true;
    }
    return false;
  }
}

function* pieces(text: string): Generator<string> {
  for (let at = 0; at + tellingLength <= text.length; at++) yield text.slice(at, at + tellingLength);
}

/** What a text says to who undoes its escapes. */
function readings(text: string): readonly string[] {
  const unescaped = text.replaceAll(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, code: string | undefined, character: string) =>
    code === undefined ? character : String.fromCharCode(Number.parseInt(code, 16)),
  );
  const decoded = percentDecoded(unescaped);
  return [...new Set([text, unescaped, percentDecoded(text), decoded, percentDecoded(decoded)])];
}

/** Where `decodeURIComponent` would throw, it decodes what it can. */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString());
}
