import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DenyConnection } from "../errors.js";
import type { RequestHead } from "../ports/transport.js";
import { type HeaderList, header, headerValues } from "../scope.js";
import { checkLimits } from "./limits.js";
import { httpScope, type ScopeSettings, webSocketScope } from "./request-scope.js";

const settings: ScopeSettings = { rootPath: "", state: {}, limits: checkLimits({}), proxies: undefined };
const noSignal = (): AbortSignal => new AbortController().signal;

/** Any byte, as Latin-1, but mostly those that stand between the parts of a header. */
const byte = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(..." \t,;=:\"'()<>@[]{}?/\\\r\n\0\x7f\x80\xff") },
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
);
const bytes = fc.string({ unit: byte, maxLength: 40 });
const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((raw) => Buffer.from(raw).toString("base64"));

const line = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "sec-websocket-version",
      "sec-websocket-key",
      "sec-websocket-protocol",
      "content-length",
      "host",
      "origin",
      "cookie",
      "connection",
    ),
    fc.oneof(bytes, fc.constantFrom("", "13", "dGhlIHNhbXBsZSBub25jZQ=="), fc.string()),
  ),
  fc.tuple(bytes, bytes),
  fc.tuple(token, fc.string({ unit: "binary" })),
);
const rawPath = fc.oneof(
  bytes.map((rest) => `/${rest}`),
  fc.webPath().map((path) => `/${path}`),
  fc.array(fc.constantFrom("%", "2f", "%ff", "%c3%a9", "%00", "/", "..", "é")).map((parts) => `/${parts.join("")}`),
  bytes,
);

const handshakeLines: HeaderList = [
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

const anyHead: fc.Arbitrary<RequestHead> = fc.record({
  method: fc.oneof(fc.constant("GET"), bytes),
  rawPath,
  queryString: fc.oneof(bytes, fc.webQueryParameters()),
  httpVersion: fc.constantFrom("1.0", "1.1", "2"),
  headers: fc
    .tuple(fc.constantFrom([], handshakeLines), fc.array(line, { maxLength: 12 }))
    .map((parts) => parts.flat()),
  secure: fc.boolean(),
  client: fc.constant(undefined),
  server: fc.constant(undefined),
});

const properHead = (headers: HeaderList): RequestHead => ({
  method: "GET",
  rawPath: "/",
  queryString: "",
  httpVersion: "1.1",
  headers,
  secure: false,
  client: undefined,
  server: undefined,
});

/** What comes of a head: a scope or a refusal. Anything else that is thrown gets through. */
function outcome(make: typeof httpScope | typeof webSocketScope, head: RequestHead) {
  try {
    return make(head, settings, noSignal);
  } catch (error) {
    if (error instanceof DenyConnection) return error;
    throw error;
  }
}

describe("any head of a request", () => {
  it.each([
    ["HTTP", httpScope],
    ["WebSocket", webSocketScope],
  ])("makes a scope of %s that holds what core promises, or a refusal with 4xx", (_, make) => {
    let scopes = 0;
    fc.assert(
      fc.property(anyHead, (head) => {
        const made = outcome(make, head);
        if (made instanceof DenyConnection) {
          expect(made.status).toBeGreaterThanOrEqual(400);
          expect(made.status).toBeLessThan(500);
          return;
        }
        scopes++;
        expect(made.path).toMatch(/^\//);
        expect(made.path).toBe(decodeURIComponent(made.rawPath));
        expect(made.rawPath + made.queryString).toMatch(/^[\x21-\x7e]+$/);
        expect(made.headers).toBe(head.headers);
        for (const [name, value] of made.headers) {
          expect(name).toMatch(/^[\x21-\x7e]+$/);
          expect(value).not.toMatch(/[\r\n\0]/);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(scopes).toBeGreaterThan(0);
  });

  it("is taken for a handshake only with one key and one version", () => {
    const lines = fc.array(
      fc.oneof(
        fc.tuple(fc.constant("sec-websocket-key"), fc.oneof(key, bytes)),
        fc.tuple(fc.constant("sec-websocket-version"), fc.oneof(fc.constant("13"), bytes)),
        line,
      ),
      { maxLength: 6 },
    );
    let scopes = 0;
    fc.assert(
      fc.property(lines, (headers) => {
        const made = outcome(webSocketScope, properHead(headers));
        if (made instanceof DenyConnection) return;
        scopes++;
        expect(headerValues(made, "sec-websocket-version")).toEqual(["13"]);
        const [only = "", ...others] = headerValues(made, "sec-websocket-key");
        expect(others).toEqual([]);
        expect(Buffer.from(only, "base64").length).toBe(16);
      }),
      { numRuns: 2_000 },
    );
    expect(scopes).toBeGreaterThan(0);
  });
});

describe("the subprotocols of a handshake", () => {
  const handshake = (offers: readonly string[]): RequestHead =>
    properHead([...handshakeLines, ...offers.map((offer) => ["sec-websocket-protocol", offer] as const)]);

  it("are those that were offered, in their order, however they are spread over lines and spaced", () => {
    const spaced = fc.tuple(fc.constantFrom("", " ", "\t "), fc.constantFrom("", " ", " \t"));
    const offers = fc.uniqueArray(token, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(offers, fc.array(fc.tuple(spaced, fc.boolean())), (names, ways) => {
        const lines: string[][] = [[]];
        for (const [index, name] of names.entries()) {
          const [[before, after], breaks] = ways[index] ?? [["", ""], false];
          if (breaks && index > 0) lines.push([]);
          lines.at(-1)?.push(before + name + after);
        }
        const made = outcome(webSocketScope, handshake(lines.map((line) => line.join(","))));
        expect(made).toMatchObject({ subprotocols: names });
      }),
    );
  });

  it("are different tokens, or the handshake is refused with 400", () => {
    const piece = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom("a", "b", "c", " a", "b\t", "A") },
      fc.oneof(token, fc.constantFrom("", ",", " "), bytes),
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.array(piece).map((pieces) => pieces.join(",")),
          { maxLength: 3 },
        ),
        (offers) => {
          const made = outcome(webSocketScope, handshake(offers));
          if (made instanceof DenyConnection) {
            expect(made.status).toBe(400);
            return;
          }
          const { subprotocols } = made as ReturnType<typeof webSocketScope>;
          expect(new Set(subprotocols).size).toBe(subprotocols.length);
          for (const name of subprotocols) expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
          const offered = header(made, "sec-websocket-protocol");
          expect(subprotocols.join(",")).toBe((offered ?? "").replaceAll(/[ \t]/g, ""));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
