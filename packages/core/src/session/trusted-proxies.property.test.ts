import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DenyConnection } from "../errors.js";
import type { RequestHead } from "../ports/transport.js";
import { type HeaderList, header } from "../scope.js";
import { checkLimits } from "./limits.js";
import { httpScope, type ScopeSettings, webSocketScope } from "./request-scope.js";
import { TrustedProxies } from "./trusted-proxies.js";

const settings: ScopeSettings = {
  rootPath: "",
  state: {},
  limits: checkLimits({ maxHeaders: 1_000, maxHeaderSize: 1_000_000 }),
  proxies: new TrustedProxies(["10.0.0.0/8", "fd00::/8"]),
};

const node = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV6().map((address) => `[${address}]:80`),
  fc.constantFrom("10.0.0.2", "10.0.0.3:99", "unknown", "_hidden", "fd00::2", ""),
  fc.string(),
);
const proto = fc.oneof(fc.constantFrom("http", "https", "ws", "wss", ""), fc.string());
const host = fc.oneof(fc.domain(), fc.string());
const text = fc.oneof(node, proto, host);
const parameter = fc
  .tuple(fc.constantFrom("for", "proto", "host", "by", "For", ""), text, fc.constantFrom("", '"'))
  .map(([name, value, quote]) => `${name}=${quote}${value}${quote}`);
const element = fc.array(parameter, { maxLength: 4 }).map((parameters) => parameters.join(";"));
const list = (item: fc.Arbitrary<string>) => fc.array(item, { maxLength: 4 }).map((items) => items.join(", "));
/** Visible, as core's own check would refuse the others before. */
const visible = (value: fc.Arbitrary<string>) => value.map((raw) => raw.replace(/[^\x20-\x7e]/g, "?"));

const headers: fc.Arbitrary<HeaderList> = fc.array(
  fc.oneof(
    fc.tuple(fc.constant("x-forwarded-for"), visible(list(node))),
    fc.tuple(fc.constant("x-forwarded-proto"), visible(list(proto))),
    fc.tuple(fc.constant("x-forwarded-host"), visible(list(host))),
    fc.tuple(fc.constant("forwarded"), visible(list(element))),
  ),
  { maxLength: 6 },
);

const headOf = (lines: HeaderList, client: string): RequestHead => ({
  method: "GET",
  rawPath: "/",
  queryString: "",
  httpVersion: "1.1",
  headers: [
    ["host", "test.example"],
    ["sec-websocket-version", "13"],
    ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ...lines,
  ],
  secure: false,
  client: { host: client, port: 5 },
  server: { host: "10.0.0.9", port: 80 },
});

const noSignal = (): AbortSignal => new AbortController().signal;

describe("headers of proxies", () => {
  it("change nothing when they come from anybody else, whatever they say", () => {
    const strangers = fc.oneof(
      fc.ipV4().filter((address) => !address.startsWith("10.")),
      fc.constantFrom("::1", "2001:db8::1", "::ffff:192.0.2.1", "11.0.0.0", "9.255.255.255"),
    );
    fc.assert(
      fc.property(headers, strangers, (lines, client) => {
        const head = headOf(lines, client);
        for (const make of [httpScope, webSocketScope]) {
          const scope = make(head, settings, noSignal);
          expect(scope.client).toEqual({ host: client, port: 5 });
          expect(["http", "ws"]).toContain(scope.scheme);
          expect(scope.headers).toBe(head.headers);
        }
      }),
    );
  });

  it("make a scope or a refusal when they come from a trusted one, never another error", () => {
    let scopes = 0;
    fc.assert(
      fc.property(headers, (lines) => {
        try {
          const scope = httpScope(headOf(lines, "10.0.0.1"), settings, noSignal);
          scopes += 1;
          expect(header(scope, "host")).toMatch(/^[\w.~:[\]-]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(DenyConnection);
          expect(error).toMatchObject({ status: 400 });
        }
      }),
      { numRuns: 2_000 },
    );
    expect(scopes).toBeGreaterThan(0);
  });

  it("say what they were given: the nearest one that is not trusted", () => {
    const own = fc.integer({ min: 0, max: 255 }).map((last) => `10.1.2.${last}`);
    const strange = fc.ipV4().filter((address) => !address.startsWith("10."));
    fc.assert(
      fc.property(fc.array(visible(node)), strange, fc.array(own), (invented, client, hops) => {
        // A comma would make two of one, which is as good.
        const value = [...invented, client, ...hops].join(", ");
        const scope = httpScope(headOf([["x-forwarded-for", value]], "10.0.0.1"), settings, noSignal);
        expect(scope.client).toEqual({ host: client, port: undefined });
        const elements = [client, ...hops].map((hop) => `for=${hop};proto=https`).join(", ");
        const standard = httpScope(headOf([["forwarded", elements]], "10.0.0.1"), settings, noSignal);
        expect(standard).toMatchObject({ client: { host: client }, scheme: "https" });
      }),
    );
  });
});
