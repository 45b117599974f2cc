import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import { compileOrigin, parseOrigin } from "./origin-pattern.js";

function fits(pattern: string, value: string): boolean {
  const origin = parseOrigin(value);
  return origin !== undefined && compileOrigin(pattern)(origin);
}

describe("an Origin", () => {
  it.each([
    ["https://example.com", { scheme: "https", host: "example.com", port: "443" }],
    ["http://example.com", { scheme: "http", host: "example.com", port: "80" }],
    ["HTTPS://EXAMPLE.COM:443", { scheme: "https", host: "example.com", port: "443" }],
    ["wss://example.com", { scheme: "https", host: "example.com", port: "443" }],
    ["ws://example.com:8000", { scheme: "http", host: "example.com", port: "8000" }],
    ["https://example.com.", { scheme: "https", host: "example.com", port: "443" }],
    ["https://bücher.example", { scheme: "https", host: "xn--bcher-kva.example", port: "443" }],
    ["http://[::1]:8000", { scheme: "http", host: "[::1]", port: "8000" }],
    ["http://[0:0:0:0:0:0:0:1]", { scheme: "http", host: "[::1]", port: "80" }],
    ["http://127.1", { scheme: "http", host: "127.0.0.1", port: "80" }],
    ["capacitor://localhost", { scheme: "capacitor", host: "localhost", port: "" }],
    ["chrome-extension://AbCd", { scheme: "chrome-extension", host: "abcd", port: "" }],
  ])("%s is taken apart", (value, origin) => {
    expect(parseOrigin(value)).toEqual(origin);
  });

  it.each([
    "",
    " ",
    "null",
    "NULL",
    "example.com",
    "//example.com",
    "://example.com",
    "https:example.com",
    "https:/example.com",
    "https://",
    "https:///example.com",
    "https://:443",
    "https://.",
    "https://.example.com",
    "https://example..com",
    "https://example.com..",
    "https://example.com/",
    "https://example.com/path",
    "https://example.com?",
    "https://example.com#",
    "https://example.com\\",
    "https://example.com:",
    "https://example.com:port",
    "https://example.com:65536",
    "https://user@example.com",
    "https://example.com@evil.tld",
    "https://example.com%2eevil.tld",
    "https://ex%61mple.com",
    " https://example.com",
    "https://example.com ",
    "https://exam\tple.com",
    "https://example.com\u0000",
    "https://a.com https://b.com",
    "https://a.com,https://b.com",
    "https://*",
    "https://[::1",
    "https://[not-an-address]",
    "https://1.2.3.4.5",
    "1https://example.com",
  ])("%j is none", (value) => {
    expect(parseOrigin(value)).toBeUndefined();
  });

  it("is read without a throw whatever it says", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string().map((text) => `https://${text}`),
        ),
        (value) => {
          expect(parseOrigin(value)?.host).not.toBe("");
        },
      ),
    );
  });
});

describe("a pattern", () => {
  it.each([
    ["example.com", "https://example.com", true],
    ["example.com", "http://example.com:8000", true],
    ["example.com", "capacitor://example.com", true],
    ["example.com", "https://EXAMPLE.com.", true],
    ["EXAMPLE.COM.", "https://example.com", true],
    ["example.com", "https://app.example.com", false],
    ["example.com", "https://example.com.evil.tld", false],
    ["example.com", "https://app.example.com.evil.tld", false],
    ["example.com", "https://example.comx", false],
    ["example.com", "https://notexample.com", false],
    ["example.com", "https://example.com@evil.tld", false],
    ["example.com", "https://evil.tld/example.com", false],
    ["example.com", "https://evil.tld#example.com", false],
    ["example.com", "https://evil.tld\\.example.com", false],
    ["example.com", "null", false],
    [".example.com", "https://example.com", true],
    [".example.com", "https://app.example.com", true],
    [".example.com", "https://a.b.c.example.com:8443", true],
    [".example.com", "https://notexample.com", false],
    [".example.com", "https://app.example.com.evil.tld", false],
    [".example.com", "https://.example.com", false],
    ["https://example.com", "https://example.com", true],
    ["https://example.com", "https://example.com:443", true],
    ["https://example.com:443", "https://example.com", true],
    ["https://example.com", "wss://example.com", true],
    ["wss://example.com", "https://example.com", true],
    ["HTTPS://Example.com", "https://example.com", true],
    ["https://example.com", "https://example.com:8443", false],
    ["https://example.com", "http://example.com", false],
    ["https://example.com", "http://example.com:443", false],
    ["https://example.com:8443", "https://example.com:8443", true],
    ["https://example.com:8443", "https://example.com", false],
    ["http://example.com", "ws://example.com:80", true],
    ["https://.example.com", "https://app.example.com", true],
    ["https://.example.com", "http://app.example.com", false],
    ["https://.example.com", "https://app.example.com:8443", false],
    ["example.com:8000", "http://example.com:8000", true],
    ["example.com:8000", "https://example.com:8000", true],
    ["example.com:8000", "http://example.com", false],
    ["example.com:443", "https://example.com", true],
    ["example.com:443", "http://example.com", false],
    ["example.com:80", "http://example.com", true],
    [".example.com:8000", "http://a.example.com:8000", true],
    [".example.com:8000", "http://a.example.com", false],
    ["bücher.example", "https://xn--bcher-kva.example", true],
    ["xn--bcher-kva.example", "https://bücher.example", true],
    [".bücher.example", "https://www.xn--bcher-kva.example", true],
    ["localhost", "http://localhost:3000", true],
    ["127.0.0.1", "http://127.0.0.1:3000", true],
    ["127.0.0.1", "http://1.127.0.0.1", false],
    ["[::1]", "http://[::1]:3000", true],
    ["[::1]", "http://[::2]:3000", false],
    ["[::1]:3000", "http://[::1]:3000", true],
    ["[::1]:3000", "http://[::1]:3001", false],
    ["capacitor://localhost", "capacitor://localhost", true],
    ["capacitor://localhost", "http://localhost", false],
    ["chrome-extension://abcd", "chrome-extension://abcd", true],
  ])("%j and %j: %s", (pattern, value, expected) => {
    expect(fits(pattern, value)).toBe(expected);
  });

  const shape =
    'expected "host", "host:port", "scheme://host" or "scheme://host:port" and nothing after it, such as "https://example.com"';
  const star = '"*" stands alone, for everybody; all hosts below one are ".example.com"';
  it.each([
    ["", shape],
    [" ", shape],
    [".", shape],
    ["https://", shape],
    ["https://.", shape],
    ["://example.com", shape],
    ["//example.com", shape],
    ["https:example.com", shape],
    ["..example.com", shape],
    ["example..com", shape],
    ["example.com/path", shape],
    ["https://example.com/", shape],
    ["https://example.com/path", shape],
    ["example.com?x", shape],
    [" example.com", shape],
    ["example.com\n", shape],
    ["example.com, example.org", shape],
    ["example.com:", shape],
    ["example.com:http", shape],
    ["example.com:65536", shape],
    ["::1", shape],
    ["*.example.com", star],
    ["https://*.example.com", star],
    ["https://*", star],
    ["*:8000", star],
    ["null", 'only "*" lets the origin "null" in, as any page can have it'],
  ])("%j could never match, so it is refused while building", (pattern, problem) => {
    expect(() => compileOrigin(pattern)).toThrow(new ConfigurationError(`bad origin pattern "${pattern}": ${problem}`));
  });

  it.each(["https://user:hunter2@example.com", "user:hunter2@example.com", "https://user:hunter/2@example.com"])(
    "keeps the password of %j out of the error",
    (pattern) => {
      expect(() => compileOrigin(pattern)).toThrow(
        new ConfigurationError(`bad origin pattern "***@example.com": ${shape}`),
      );
    },
  );

  it("lets no host in but its own and those below", () => {
    const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/);
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const separator = fc.constantFrom(
      "",
      ".",
      "@",
      ":",
      "/",
      "#",
      "?",
      "\\",
      "%2e",
      "%00",
      "\t",
      " ",
      ",",
      "-",
      ":80@",
      "://",
    );
    const tail = fc.oneof(host, fc.string());
    const allowed = compileOrigin("example.com");
    const below = compileOrigin(".example.com");
    fc.assert(
      fc.property(
        fc.constantFrom("https://", "http://", "wss://"),
        tail,
        separator,
        separator,
        tail,
        (scheme, a, s, t, b) => {
          for (const value of [
            `${scheme}${a}${s}example.com`,
            `${scheme}example.com${t}${b}`,
            `${scheme}${a}${s}example.com${t}${b}`,
          ]) {
            const origin = parseOrigin(value);
            if (origin === undefined) continue;
            // Where a browser would go if it were sent there.
            const { hostname, username } = new URL(value);
            const real = hostname.replace(/\.$/, "");
            expect(username).toBe("");
            expect(allowed(origin)).toBe(real === "example.com");
            expect(below(origin)).toBe(real === "example.com" || real.endsWith(".example.com"));
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
