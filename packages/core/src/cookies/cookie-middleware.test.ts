import { httpScope } from "@sluice/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { ConfigurationError } from "../errors.js";
import type { HeaderList } from "../scope.js";
import { CookieMiddleware, type WithCookies } from "./cookie-middleware.js";
import { checkCookieName, cookiePairs } from "./cookie-pairs.js";

/** The cookies that an application inside of the middleware sees. */
function cookiesOf(headers: HeaderList): ReadonlyMap<string, string> {
  let seen: ReadonlyMap<string, string> | undefined;
  const app: App<"http", WithCookies> = ({ cookies }) => {
    seen = cookies;
  };
  const unused = (): never => {
    throw new Error("expected nothing to be received or sent");
  };
  void CookieMiddleware(app)(httpScope({ headers }), Object.assign(unused, { pipe: unused }), unused);
  if (seen === undefined) throw new Error("expected the application to be called at once");
  return seen;
}

describe("cookies", () => {
  it("are none where there is no header", () => {
    expect(cookiesOf([])).toEqual(new Map());
  });

  it.each<[string, Record<string, string>]>([
    ["a=1", { a: "1" }],
    ["a=1; b=2", { a: "1", b: "2" }],
    ["a=1;b=2", { a: "1", b: "2" }],
    [" a = 1 ; b=2;", { a: "1", b: "2" }],
    ["a=1; a=2", { a: "1" }],
    ['a="1 2"', { a: "1 2" }],
    ['a="', { a: '"' }],
    ["a=b=c==", { a: "b=c==" }],
    ["a=", { a: "" }],
    ["a; b=2", { b: "2" }],
    ["a=%20+%", { a: "%20+%" }],
    ["__proto__=1; constructor=2", { ["__proto__"]: "1", constructor: "2" }],
  ])("in %j are read", (value, expected) => {
    expect(cookiesOf([["cookie", value]])).toEqual(new Map(Object.entries(expected)));
  });

  it("of several lines are those of one, in their order", () => {
    const headers: HeaderList = [
      ["cookie", "a=1"],
      ["x-cookie", "a=0; c=0"],
      ["cookie", "a=2; b=2"],
    ];
    expect(cookiesOf(headers)).toEqual(
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
  });
});

describe("any bytes", () => {
  const byte = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...' \t,;="%&+\r\n\0\x80\xff') },
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  );

  it("are read without a throw, and no name or value breaks out of its pair", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: byte, maxLength: 40 })), (values) => {
        const pairs = cookiePairs({ headers: values.map((value) => ["cookie", value] as const) });
        for (const [name, value] of pairs) {
          expect(name).not.toMatch(/[;=]/);
          expect(value).not.toMatch(/;/);
        }
      }),
    );
  });

  it("come back as they were placed", () => {
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
    // The cookie-octets of RFC 6265 4.1.1.
    const value = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,40}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { minLength: 1 }), (pairs) => {
        const line = pairs.map(([key, text]) => `${key}=${text}`).join("; ");
        expect(cookiePairs({ headers: [["cookie", line]] })).toEqual(pairs);
      }),
    );
  });
});

it.each(["", "a b", "a=b", "a;b", "é", "a\n"])("no cookie can be called %j", (name) => {
  expect(() => checkCookieName(name)).toThrow(ConfigurationError);
});
