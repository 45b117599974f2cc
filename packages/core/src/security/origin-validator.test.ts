import { describe, expect, it } from "vitest";
import type { App, Connection, Receive, Scope } from "../app.js";
import { ConfigurationError, DenyConnection } from "../errors.js";
import { stack } from "../middleware.js";
import { AllowedHostsOriginValidator, type OriginOptions, OriginValidator } from "./origin-validator.js";

const receive: Receive<Connection> = Object.assign(() => Promise.reject(new Error("no events")), {
  pipe: () => Promise.resolve(),
});
const send = (): void => {};

/** Only the fields that count here. */
function scopeFrom(type: Connection, ...origins: string[]): Scope<Connection> {
  const headers = [["host", "example.com"], ...origins.map((origin) => ["origin", origin])];
  return { type, headers } as unknown as Scope<Connection>;
}

function entry(validator: (app: App<Connection>) => App<Connection>): (...origins: string[]) => Promise<boolean> {
  return async (...origins) => {
    const scope = scopeFrom("websocket", ...origins);
    let ran = false;
    const app = validator((...given) => {
      expect(given).toEqual([scope, receive, send]);
      ran = true;
    });
    try {
      await app(scope, receive, send);
    } catch (error) {
      expect(error).toBeInstanceOf(DenyConnection);
      expect(error).toMatchObject({ status: 403, body: "Origin not allowed\n", closeCode: 4403 });
      expect(ran).toBe(false);
      return false;
    }
    return ran;
  };
}

const passes = (patterns: readonly string[], options?: OriginOptions) =>
  entry((app) => OriginValidator(app, patterns, options));

describe("OriginValidator", () => {
  it("lets in the origins that a pattern names, and runs nothing for others", async () => {
    const check = passes(["https://example.com", ".example.org"]);
    expect(await check("https://example.com")).toBe(true);
    expect(await check("http://a.example.org:8000")).toBe(true);
    expect(await check("http://example.com")).toBe(false);
    expect(await check("https://app.example.com.evil.tld")).toBe(false);
    expect(await check("https://example.com@evil.tld")).toBe(false);
  });

  it("refuses what is not one origin", async () => {
    const check = passes(["example.com"], { allowMissingOrigin: true });
    expect(await check("null")).toBe(false);
    expect(await check("")).toBe(false);
    expect(await check("https://")).toBe(false);
    expect(await check("https://example.com/")).toBe(false);
    expect(await check("https://example.com", "https://example.com")).toBe(false);
    expect(await check("https://example.com", "")).toBe(false);
  });

  it("refuses a client without an Origin unless it is told otherwise", async () => {
    expect(await passes(["example.com"])()).toBe(false);
    expect(await passes(["example.com"], {})()).toBe(false);
    expect(await passes(["example.com"], { allowMissingOrigin: false })()).toBe(false);
    expect(await passes(["example.com"], { allowMissingOrigin: true })()).toBe(true);
    expect(await passes([], { allowMissingOrigin: true })()).toBe(true);
  });

  it("lets everybody in for a star", async () => {
    const check = passes(["example.com", "*"], { allowMissingOrigin: false });
    expect(await check()).toBe(true);
    expect(await check("null")).toBe(true);
    expect(await check("")).toBe(true);
    expect(await check("nonsense")).toBe(true);
    expect(await check("https://a.tld", "https://b.tld")).toBe(true);
  });

  it("lets nobody in for no pattern", async () => {
    expect(await passes([])("https://example.com")).toBe(false);
    expect(await passes([])()).toBe(false);
  });

  it("refuses a bad pattern while building, beside a star too", () => {
    expect(() => OriginValidator(() => {}, ["example.com", "*.example.com"])).toThrow(ConfigurationError);
    expect(() => OriginValidator(["*", "https://"])).toThrow(ConfigurationError);
  });

  it("lets HTTP requests pass", async () => {
    let ran = 0;
    const app = OriginValidator(() => {
      ran += 1;
    }, ["example.com"]);
    await app(scopeFrom("http", "https://evil.tld"), receive, send);
    await app(scopeFrom("http"), receive, send);
    expect(ran).toBe(2);
  });

  it("is a middleware without an application", async () => {
    const check = entry((app) =>
      stack()
        .use(OriginValidator(["example.com"], { allowMissingOrigin: true }))
        .app(app),
    );
    expect(await check("https://example.com")).toBe(true);
    expect(await check()).toBe(true);
    expect(await check("https://evil.tld")).toBe(false);
  });

  it("returns what the application returns", () => {
    const done = Promise.resolve();
    const app = OriginValidator(() => done, ["example.com"]);
    expect(app(scopeFrom("websocket", "https://example.com"), receive, send)).toBe(done);
  });
});

describe("AllowedHostsOriginValidator", () => {
  it("checks origins against hosts", async () => {
    const check = entry((app) => AllowedHostsOriginValidator(app, ["example.com"]));
    expect(await check("https://example.com:8443")).toBe(true);
    expect(await check("http://localhost:3000")).toBe(false);
    expect(await check()).toBe(false);
  });

  it.each([
    ["around an application", (app: App<Connection>) => AllowedHostsOriginValidator(app, [])],
    ["as a middleware", (app: App<Connection>) => AllowedHostsOriginValidator([])(app)],
  ])("means this machine by no hosts, %s", async (_way, validator) => {
    const check = entry(validator);
    expect(await check("http://localhost:3000")).toBe(true);
    expect(await check("https://localhost")).toBe(true);
    expect(await check("http://127.0.0.1:8000")).toBe(true);
    expect(await check("http://[::1]:8000")).toBe(true);
    expect(await check("http://example.com")).toBe(false);
    expect(await check("http://localhost.evil.tld")).toBe(false);
    expect(await check("http://a.localhost")).toBe(false);
    expect(await check()).toBe(false);
  });

  it("takes options", async () => {
    expect(await entry((app) => AllowedHostsOriginValidator(app, [], { allowMissingOrigin: true }))()).toBe(true);
    expect(await entry(AllowedHostsOriginValidator(["example.com"], { allowMissingOrigin: true }))()).toBe(true);
  });
});
