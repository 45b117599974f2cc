import { describe, expect, it } from "vitest";
import { ConfigurationError, DenyConnection } from "../errors.js";
import type { RequestHead } from "../ports/transport.js";
import { type Address, header } from "../scope.js";
import { TrustedProxies } from "./trusted-proxies.js";

const proxies = new TrustedProxies(["10.0.0.0/8", "::1", "unix"]);
const proxy: Address = { host: "10.0.0.1", port: 40_000 };

type Line = readonly [name: string, value: string];

function seen(lines: readonly Line[], change: Partial<RequestHead> = {}) {
  const head: RequestHead = {
    method: "GET",
    rawPath: "/",
    queryString: "",
    httpVersion: "1.1",
    headers: [["host", "inner.example"], ...lines],
    secure: false,
    client: proxy,
    server: { host: "10.0.0.9", port: 80 },
    ...change,
  };
  const { client, secure, headers } = proxies.seenThrough(head);
  return { client, secure, headers, host: header({ headers }, "host") };
}

const xff = (value: string): Line => ["x-forwarded-for", value];
const xfp = (value: string): Line => ["x-forwarded-proto", value];
const xfh = (value: string): Line => ["x-forwarded-host", value];
const forwarded = (value: string): Line => ["forwarded", value];

const at = (host: string, port?: number): Address => ({ host, port });

describe("the client", () => {
  it.each<[string, Line[], Address | undefined]>([
    ["no header", [], proxy],
    ["one address", [xff("203.0.113.9")], at("203.0.113.9")],
    ["one with a port", [xff("203.0.113.9:5000")], at("203.0.113.9", 5000)],
    ["IPv6", [xff("2001:DB8::1")], at("2001:db8::1")],
    ["IPv6 in brackets", [xff("[2001:db8::1]")], at("2001:db8::1")],
    ["IPv6 with a port", [xff("[2001:db8::1]:5000")], at("2001:db8::1", 5000)],
    ["IPv4 in IPv6", [xff("::ffff:203.0.113.9")], at("203.0.113.9")],
    ["what the client invented, to the left", [xff("1.1.1.1, 203.0.113.9")], at("203.0.113.9")],
    ["nonsense of the client's, to the left", [xff("<script>, , 203.0.113.9")], at("203.0.113.9")],
    ["two trusted hops", [xff("203.0.113.9, 10.0.0.3, 10.0.0.2")], at("203.0.113.9")],
    ["a trusted hop beyond one that is not", [xff("10.0.0.3, 203.0.113.9, 10.0.0.2")], at("203.0.113.9")],
    ["trusted hops only", [xff("10.0.0.3,10.0.0.2")], at("10.0.0.3")],
    ["two lines", [xff("203.0.113.9"), xff("10.0.0.2")], at("203.0.113.9")],
    ["an unknown one", [xff("203.0.113.9, unknown")], undefined],
    ["Forwarded", [forwarded("for=203.0.113.9")], at("203.0.113.9")],
    ["Forwarded, in capitals", [forwarded("For=203.0.113.9;Proto=HTTPS")], at("203.0.113.9")],
    ["Forwarded with IPv6", [forwarded('for="[2001:db8::1]:5000"')], at("2001:db8::1", 5000)],
    ["Forwarded without quotes", [forwarded("for=[2001:db8::1]:5000")], at("2001:db8::1", 5000)],
    ["Forwarded with a quoted pair", [forwarded('for="\\203.0.113.9"')], at("203.0.113.9")],
    ["Forwarded with an obfuscated name", [forwarded("for=203.0.113.9, for=_hidden")], undefined],
    ["Forwarded with an obfuscated port", [forwarded('for="203.0.113.9:_p"')], at("203.0.113.9")],
    ["Forwarded, unknown", [forwarded("for=unknown")], undefined],
    ["Forwarded, two hops", [forwarded("for=1.1.1.1, for=203.0.113.9;by=10.0.0.3, for=10.0.0.2")], at("203.0.113.9")],
    ["Forwarded, two lines", [forwarded("for=203.0.113.9"), forwarded("for=10.0.0.2")], at("203.0.113.9")],
    ["Forwarded, with gaps", [forwarded("for=203.0.113.9; proto=https ,, ,")], at("203.0.113.9")],
    ["Forwarded, without an address", [forwarded("for=203.0.113.9, proto=https")], proxy],
    ["an empty line", [xff("")], proxy],
    ["empty members only", [xff(" ,, ")], proxy],
    ["an empty hop in reach", [xff("203.0.113.9, ")], at("203.0.113.9")],
    ["an empty line beside Forwarded", [xff(""), forwarded("for=203.0.113.9")], at("203.0.113.9")],
    ["both", [forwarded("for=203.0.113.9"), xff("203.0.113.9")], at("203.0.113.9")],
    ["both, with the port", [forwarded('for="203.0.113.9:5000"'), xff("203.0.113.9:5000")], at("203.0.113.9", 5000)],
    // The other one may be the client's, who is not to choose.
    ["both, one with the port", [xff("203.0.113.9"), forwarded('for="203.0.113.9:5000"')], at("203.0.113.9")],
    ["both, the other with the port", [forwarded("for=203.0.113.9"), xff("203.0.113.9:5000")], at("203.0.113.9")],
    ["both, unknown", [forwarded("for=_hidden"), xff("unknown")], undefined],
  ])("with %s", (_, lines, expected) => {
    expect(seen(lines).client).toEqual(expected);
  });
});

describe("the scheme and the host", () => {
  it.each<[string, Line[], boolean, string]>([
    ["nothing", [xff("203.0.113.9")], false, "inner.example"],
    ["X-Forwarded-Proto", [xfp("https")], true, "inner.example"],
    ["X-Forwarded-Proto wss", [xfp("WSS")], true, "inner.example"],
    ["X-Forwarded-Host", [xfh("a.example:8443")], false, "a.example:8443"],
    [
      "a list that agrees",
      [xff("203.0.113.9, 10.0.0.2"), xfp("https, HTTPS"), xfh("a.example, A.example")],
      true,
      "A.example",
    ],
    ["an aligned list, nearer", [xff("1.1.1.1, 203.0.113.9"), xfp("https, http")], false, "inner.example"],
    ["a shorter list", [xff("203.0.113.9, 10.0.0.2"), xfp("https")], true, "inner.example"],
    ["a list with gaps", [xff("203.0.113.9,, 10.0.0.2"), xfp(", https"), xfh("a.example,")], true, "a.example"],
    ["empty lines", [xff("203.0.113.9"), xfp(""), xfh(" , ")], false, "inner.example"],
    ["Forwarded", [forwarded('for=203.0.113.9;proto=https;host="[2001:db8::5]:8443"')], true, "[2001:db8::5]:8443"],
    [
      "Forwarded, farther",
      [forwarded("for=203.0.113.9;proto=https, for=10.0.0.2;proto=http;host=b")],
      true,
      "inner.example",
    ],
    [
      "Forwarded, nearer",
      [forwarded("for=1.1.1.1;proto=https;host=evil, for=203.0.113.9;proto=http")],
      false,
      "inner.example",
    ],
    ["both", [forwarded("proto=https;host=A.example"), xfp("wss"), xfh("a.example")], true, "A.example"],
  ])("with %s", (_, lines, secure, host) => {
    expect(seen(lines)).toMatchObject({ secure, host });
  });

  it("are the proxy's word even against TLS up to here", () => {
    expect(seen([xfp("http")], { secure: true }).secure).toBe(false);
    expect(seen([], { secure: true }).secure).toBe(true);
  });

  it("leaves one Host where the first was, and the other headers", () => {
    const headers: Line[] = [["x-a", "1"], ["host", "inner.example"], ["host", "again.example"], xfh("a.example")];
    expect(seen([], { headers }).headers).toEqual([
      ["x-a", "1"],
      ["host", "a.example"],
      ["x-forwarded-host", "a.example"],
    ]);
  });

  it("adds a Host where there was none", () => {
    expect(seen([], { headers: [["x-a", "1"], xfh("a.example")] }).headers).toEqual([
      ["host", "a.example"],
      ["x-a", "1"],
      ["x-forwarded-host", "a.example"],
    ]);
  });
});

describe("a trusted proxy's headers that make no sense", () => {
  it.each<[string, Line[]]>([
    ["an empty address", [forwarded('for=""')]],
    ["a name for an address", [xff("client.example")]],
    ["a port that is none", [xff("203.0.113.9:65536")]],
    ["IPv6 without an end", [xff("[2001:db8::1")]],
    ["leading zeros", [xff("010.0.0.1")]],
    ["a protocol that is none", [xfp("gopher")]],
    ["a host that is none", [xfh("a b")]],
    ["a host with a path", [xfh("a.example/b")]],
    ["a host with credentials", [xfh("user@a.example")]],
    ["an open quote", [forwarded('for="203.0.113.9')]],
    ["a quote that the client left open", [forwarded('for="'), forwarded('for="[2001:db8::1]"')]],
    ["a quote that the client left open, in one line", [forwarded('for=", for="[2001:db8::1]"')]],
    ["something after a quote", [forwarded('for="203.0.113.9"x')]],
    ["no value", [forwarded("for=")]],
    ["no equals sign", [forwarded("for")]],
    ["a parameter twice", [forwarded("for=203.0.113.9;For=203.0.113.8")]],
    ["a Forwarded host that is none", [forwarded('for=203.0.113.9;host="a/b"')]],
    ["two clients", [forwarded("for=203.0.113.9"), xff("203.0.113.8")]],
    ["two ports", [forwarded('for="203.0.113.9:1"'), xff("203.0.113.9:2")]],
    ["one client, and none that is known", [forwarded("for=203.0.113.9"), xff("unknown")]],
    ["two protocols", [forwarded("proto=http"), xfp("https")]],
    ["two hosts", [forwarded("host=a.example"), xfh("b.example")]],
    ["a list that differs from the client on", [xff("203.0.113.9, 10.0.0.2"), xfp("https, http")]],
    ["hosts that differ from the client on", [xff("203.0.113.9, 10.0.0.2"), xfh("evil.example, a.example")]],
    ["a list longer than that of the hops", [xff("203.0.113.9"), xfp("https, http")]],
    ["a list without hops", [xfp("https, https")]],
    ["a shorter list of several", [xff("1.1.1.1, 203.0.113.9, 10.0.0.2"), xfp("https, https")]],
  ])("%s: 400", (_, lines) => {
    expect(() => seen(lines)).toThrow(DenyConnection);
    expect(() => seen(lines)).toThrow("status 400");
  });
});

describe("one kind of header from the proxy, and the other from its client", () => {
  const kinds: Readonly<Record<string, { readonly standard: string; readonly custom: Line }>> = {
    client: { standard: "for=203.0.113.9", custom: xff("203.0.113.9") },
    protocol: { standard: "proto=https", custom: xfp("https") },
    host: { standard: "host=a.example", custom: xfh("a.example") },
  };
  const names = Object.keys(kinds);
  const standardOf = (said: readonly string[]): Line[] => {
    const pairs = said.flatMap((name) => kinds[name]?.standard ?? []);
    return pairs.length === 0 ? [] : [forwarded(pairs.join(";"))];
  };
  const customOf = (said: readonly string[]): Line[] =>
    said.flatMap((name) => (kinds[name] ? [kinds[name].custom] : []));
  const subsets = Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, bit) => (bits >> bit) & 1),
  );

  it.each(subsets.flatMap((one) => subsets.map((other) => [one, other] as const)))(
    "Forwarded with %j beside X-Forwarded-* with %j: both have to say the same, unless one is not there",
    (one, other) => {
      const ask = (): unknown => seen([...standardOf(one), ...customOf(other)]);
      if (one.length === 0 || other.length === 0 || one.join() === other.join()) expect(ask).not.toThrow();
      else expect(ask).toThrow("status 400");
    },
  );
});

describe("a client's header of any length", () => {
  // What takes the square of the length would take minutes.
  it.each([
    ["blanks before nonsense", `for=1.1.1.1,${" ".repeat(500_000)}@`],
    ["blanks after a pair", `for=1.1.1.1${" ".repeat(500_000)}@`],
    ["a quote without an end", `for="${"\\a".repeat(250_000)}`],
    ["a token without a value", "a".repeat(500_000)],
    ["blanks and semicolons", `${"; ".repeat(250_000)}@`],
  ])("is refused in a time that grows with it: %s", (_, value) => {
    const began = performance.now();
    expect(() => seen([forwarded(value)])).toThrow("status 400");
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("who is believed", () => {
  const lines = [xff("203.0.113.9"), xfp("https"), xfh("a.example")];

  it.each<[string, Partial<RequestHead>]>([
    ["a stranger", { client: at("192.0.2.7", 1) }],
    ["a stranger who claims to be a proxy", { client: at("192.0.2.7", 1), proxied: at("10.0.0.1", 2) }],
    ["someone without an address, not on a Unix socket", { client: undefined }],
    ["someone of whom nothing is known", { client: undefined, server: undefined }],
    ["someone whose address is none", { client: at("localhost") }],
  ])("not %s: everything stays as it is", (_, change) => {
    const client = "client" in change ? change.client : proxy;
    expect(seen(lines, change)).toMatchObject({ client, secure: false, host: "inner.example" });
  });

  it.each<[string, Partial<RequestHead>]>([
    ["a proxy of IPv4 on a socket of IPv6", { client: at("::ffff:10.0.0.1", 1) }],
    ["a proxy on the loopback", { client: at("::1", 1) }],
    ["who comes over the Unix socket", { client: undefined, server: at("/run/app.sock") }],
    ["a proxy behind a proxy", { proxied: at("10.0.0.7", 1) }],
  ])("%s", (_, change) => {
    expect(seen(lines, change)).toMatchObject({ client: at("203.0.113.9"), secure: true, host: "a.example" });
  });

  it("the PROXY protocol's client, whose own headers count for nothing", () => {
    expect(seen(lines, { proxied: at("198.51.100.4", 7) })).toMatchObject({
      client: at("198.51.100.4", 7),
      secure: false,
      host: "inner.example",
    });
  });

  it("nobody over a Unix socket who has not been named", () => {
    const tcp = new TrustedProxies(["10.0.0.0/8"]);
    const head = { headers: lines, client: undefined, server: at("/run/app.sock") } as unknown as RequestHead;
    expect(tcp.seenThrough(head)).toBe(head);
  });

  it.each(["", "proxy.example", "10.0.0.0/33", "10.0.0.0/8 ", "Unix"])("not %j, which is no address", (entry) => {
    expect(() => new TrustedProxies(["::1", entry])).toThrow(ConfigurationError);
    expect(() => new TrustedProxies(["::1", entry])).toThrow(`got ${JSON.stringify(entry)}`);
  });
});
