import type { TokenVerifier, User } from "@sluice/core";
import { describe, expect, test } from "vitest";

/** A verifier and the means to make tokens for it. */
export interface TokenVerifierContract {
  readonly name: string;
  readonly verifier: TokenVerifier;
  /** Makes a token that is good for the rest of the test, and says whose it is. */
  issue(): Promise<{ readonly token: string; readonly user: Pick<User, "id" | "username"> }>;
  /** Makes a token that was good once. */
  issueExpired(): Promise<string>;
  /** Makes a token that was taken back before it expired. */
  issueRevoked(): Promise<string>;
  /** Makes a token as good as `issue` does, but somewhere else: with another secret, in another store. */
  issueElsewhere(): Promise<string>;
}

/** Tests what `TokenVerifier` promises: whose a good token is, and that nothing else gets in or makes it throw. */
export function tokenVerifierContract(contract: TokenVerifierContract): void {
  const { verifier } = contract;

  describe(`${contract.name} as a TokenVerifier`, () => {
    test("says whose a good token is", async () => {
      const { token, user } = await contract.issue();
      expect(await verifier.verify(token)).toMatchObject({
        user: { isAuthenticated: true, id: user.id, username: user.username },
      });
    });

    test("gives the same grant every time", async () => {
      const { token } = await contract.issue();
      const first = await verifier.verify(token);
      expect(first).toBeDefined();
      expect(await verifier.verify(token)).toEqual(first);
    });

    test("names a token without giving it away", async () => {
      const { token } = await contract.issue();
      const grant = await verifier.verify(token);
      expect(grant?.tokenId).toMatch(/^.{8,}$/);
      expect(JSON.stringify(grant)).not.toContain(token);
      const other = await verifier.verify((await contract.issue()).token);
      expect(other?.tokenId).not.toBe(grant?.tokenId);
    });

    test("refuses an expired token", async () => {
      expect(await verifier.verify(await contract.issueExpired())).toBeUndefined();
    });

    test("refuses a revoked token", async () => {
      expect(await verifier.verify(await contract.issueRevoked())).toBeUndefined();
    });

    test("refuses a token from elsewhere", async () => {
      expect(await verifier.verify(await contract.issueElsewhere())).toBeUndefined();
    });

    test("refuses a token with one character changed, wherever it is", async () => {
      const { token } = await contract.issue();
      for (let index = 0; index < token.length; index += 1) {
        const forged = token.slice(0, index) + neighbour(token.charAt(index)) + token.slice(index + 1);
        expect(await verifier.verify(forged), `changed at ${index}`).toBeUndefined();
      }
      expect(await verifier.verify(token)).toBeDefined();
    });

    test("refuses a token with one character less, wherever it was", async () => {
      const { token } = await contract.issue();
      for (let index = 0; index < token.length; index += 1) {
        const forged = token.slice(0, index) + token.slice(index + 1);
        expect(await verifier.verify(forged), `cut at ${index}`).toBeUndefined();
      }
    });

    test("refuses a token with something around it", async () => {
      const { token } = await contract.issue();
      const around = [
        ` ${token}`,
        `${token} `,
        `${token}\n`,
        `${token}=`,
        `${token}\0`,
        `"${token}"`,
        `Bearer ${token}`,
      ];
      for (const text of [...around, token + token, `${token}.`, `.${token}`, token.toUpperCase()]) {
        expect(await verifier.verify(text), JSON.stringify(text)).toBeUndefined();
      }
    });

    test.each(nonsense)("refuses $what without throwing", async ({ text }) => {
      expect(await verifier.verify(text)).toBeUndefined();
    });
  });
}

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The next digit of base64url: of the last digit of a group, it may change only the bits that nobody reads. */
function neighbour(character: string): string {
  return base64.charAt((base64.indexOf(character) + 1) % base64.length);
}

function segment(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const claims = segment({ sub: "1", username: "root", exp: 99_999_999_999 });

const nonsense: ReadonlyArray<{ readonly what: string; readonly text: string }> = [
  { what: "an empty string", text: "" },
  { what: "blanks", text: " \t\r\n " },
  { what: "100 KB of one letter", text: "a".repeat(100_000) },
  { what: "100 KB in three parts", text: `${"a".repeat(50_000)}.${"b".repeat(50_000)}.c` },
  { what: "100 KB of dots", text: ".".repeat(100_000) },
  { what: "control characters", text: "\0\u0001\u0007\u001b[31m\u007f\u0085" },
  { what: "a lone high surrogate", text: "\ud800" },
  { what: "a lone low surrogate", text: "a\udfffb" },
  { what: "text beyond ASCII", text: "пароль🔑٣" },
  { what: "one dot", text: "." },
  { what: "two dots", text: ".." },
  { what: "three dots", text: "..." },
  { what: "five parts", text: "a.b.c.d.e" },
  { what: "base64 with its plus, slash and padding", text: "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+w==" },
  { what: "base64url garbage of a token's length", text: "_-".repeat(21).concat("A") },
  { what: "base64url garbage in three parts", text: "____.____.____" },
  { what: "a header that is no object", text: `${segment(7)}.${claims}.AAAA` },
  { what: "a header that is null", text: `${segment(null)}.${claims}.AAAA` },
  { what: "a header with alg none", text: `${segment({ alg: "none" })}.${claims}.` },
  { what: "a header with alg nOnE", text: `${segment({ alg: "nOnE", typ: "at+jwt" })}.${claims}.AAAA` },
  { what: "a prototype's name", text: "__proto__" },
  { what: "SQL", text: "' or 1=1; drop table tokens; --" },
  { what: "JSON", text: '{"token":null}' },
  { what: "a percent-encoded token", text: "%61%62%63" },
];
