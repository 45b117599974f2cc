import { httpScope, webSocketScope } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HeaderList } from "../scope.js";
import { fromCookie, fromHeader, fromQuery, fromSubprotocol } from "./carriers.js";

/** Any byte, as Latin-1, but mostly those that stand between the parts of a header. */
const byte = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...' \t,;="%&+\r\n\0\x80\xff') },
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
);
const bytes = fc.string({ unit: byte, maxLength: 40 });
/** What RFC 6750 2.1 lets a bearer token be made of. */
const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,60}={0,2}$/);
const tokenName = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);

const around = <Item>(others: fc.Arbitrary<Item>) =>
  fc.tuple(fc.array(others, { maxLength: 5 }), fc.array(others, { maxLength: 5 }));

describe("any bytes", () => {
  const line = fc.tuple(fc.oneof(fc.constantFrom("authorization", "cookie"), bytes), fc.oneof(bytes, fc.string()));
  const carriers = [fromHeader(), fromCookie("session"), fromSubprotocol(), fromQuery("token")];

  it("are looked through without a throw, and give strings", () => {
    fc.assert(
      fc.property(
        fc.array(line),
        fc.oneof(bytes, fc.string({ unit: "binary" })),
        fc.array(bytes),
        (headers, queryString, subprotocols) => {
          for (const carrier of carriers) {
            for (const scope of [
              httpScope({ headers, queryString }),
              webSocketScope({ headers, queryString, subprotocols }),
            ]) {
              for (const found of carrier.find(scope)) expect(typeof found).toBe("string");
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("of another scheme or cookie are no token", () => {
    const scheme = tokenName.filter((name) => !/^(?:bearer|token)$/i.test(name));
    const cookie = tokenName.filter((name) => name !== "session");
    fc.assert(
      fc.property(scheme, cookie, token, (otherScheme, otherCookie, value) => {
        const headers: HeaderList = [
          ["authorization", `${otherScheme} ${value}`],
          ["cookie", `${otherCookie}=${value}`],
        ];
        expect(fromHeader().find(httpScope({ headers }))).toEqual([]);
        expect(fromCookie("session").find(httpScope({ headers }))).toEqual([]);
      }),
    );
  });
});

describe("a token that was placed is the one that is found", () => {
  it("in the Authorization header, among other lines", () => {
    const other = fc.tuple(fc.constantFrom("cookie", "x-authorization", "proxy-authorization"), bytes);
    const scheme = fc.constantFrom("Bearer", "bearer", "BEARER", "Token", "token");
    fc.assert(
      fc.property(token, scheme, fc.constantFrom(" ", "  "), around(other), (placed, name, space, [before, after]) => {
        const headers: HeaderList = [...before, ["authorization", `${name}${space}${placed}`], ...after];
        expect(fromHeader().find(httpScope({ headers }))).toEqual([placed]);
      }),
    );
  });

  it("in a cookie, among others in the same line and in others", () => {
    const other = bytes
      .map((text) => text.replaceAll(";", ""))
      .filter((text) => text.split("=")[0]?.trim() !== "session");
    fc.assert(
      fc.property(
        token,
        fc.boolean(),
        around(other),
        around(other.map((text) => ["cookie", text] as const)),
        (placed, quoted, [before, after], [above, below]) => {
          const pair = `session=${quoted ? `"${placed}"` : placed}`;
          const headers: HeaderList = [...above, ["cookie", [...before, pair, ...after].join("; ")], ...below];
          expect(fromCookie("session").find(httpScope({ headers }))).toEqual([placed]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("in a cookie of any name that a cookie can have", () => {
    fc.assert(
      fc.property(tokenName, token, (name, placed) => {
        const headers: HeaderList = [["cookie", `x${name}=no; ${name}=${placed}; ${name}x=no`]];
        expect(fromCookie(name).find(httpScope({ headers }))).toEqual([placed]);
      }),
    );
  });

  it("behind its subprotocol, among others", () => {
    const other = tokenName.filter((name) => name !== "access_token");
    fc.assert(
      fc.property(token, around(other), (placed, [before, after]) => {
        const subprotocols = [...before, "access_token", placed, ...after];
        expect(fromSubprotocol().find(webSocketScope({ subprotocols }))).toEqual([placed]);
      }),
    );
  });

  it("in the query, among other parameters, whatever has to be escaped", () => {
    const other = fc.tuple(
      fc.string().filter((name) => name !== "token"),
      fc.string(),
    );
    const any = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(any, around(other), (placed, [before, after]) => {
        const queryString = String(new URLSearchParams([...before, ["token", placed], ...after]));
        expect(fromQuery("token").find(httpScope({ queryString }))).toEqual([placed]);
      }),
    );
  });

  it("in a query of any characters that a query can have, as URLSearchParams finds it", () => {
    const part = fc.stringMatching(/^[\x21-\x25\x27-\x3c\x3e-\x7e]{0,8}$/);
    const name = fc.oneof(fc.constantFrom("token", "token2", "tok", "?token"), part);
    const pair = fc.tuple(name, fc.constantFrom("=", "", "=="), part);
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 5 }), fc.constantFrom("token", "token="), (pairs, wanted) => {
        const queryString = pairs.map((parts) => parts.join("")).join("&");
        const expected = new URLSearchParams(`?${queryString}`).getAll(wanted);
        expect(fromQuery(wanted).find(httpScope({ queryString }))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it("all of them, where there is more than one", () => {
    fc.assert(
      fc.property(fc.array(token, { minLength: 2, maxLength: 4 }), (placed) => {
        const headers: HeaderList = placed.flatMap((value) => [
          ["authorization", `Bearer ${value}`] as const,
          ["cookie", `session=${value}`] as const,
        ]);
        const scope = httpScope({
          headers,
          queryString: placed.map((value) => `token=${encodeURIComponent(value)}`).join("&"),
        });
        for (const carrier of [fromHeader(), fromCookie("session"), fromQuery("token")]) {
          expect(carrier.find(scope)).toEqual(placed);
        }
      }),
    );
  });
});
