import { defaultLimits } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { layerChoice } from "./settings/layer.js";
import { limitsOf } from "./settings/limits.js";
import { listenAddress, transportSettings } from "./settings/listen.js";
import { loginRules } from "./settings/throttle.js";
import { readSettings } from "./settings.js";

describe("readSettings", () => {
  it("has core's defaults for the limits, each under a name of its own", () => {
    expect(limitsOf(readSettings({}))).toEqual(defaultLimits);
    const names = Object.keys(defaultLimits).map((limit) => limit.replace(/[A-Z]/g, "_$&").toUpperCase());
    const set = readSettings(Object.fromEntries(names.map((name, index) => [name, `${index + 1}`])));
    expect(Object.values(limitsOf(set)).sort((a, b) => a - b)).toEqual(names.map((_, index) => index + 1));
  });

  it.each<[string, Record<string, string>, object]>([
    ["a port", { PORT: "0", HOST: "::" }, { port: 0, host: "::" }],
    ["a Unix socket", { UNIX_SOCKET: "/run/sluice.sock" }, { unix: "/run/sluice.sock" }],
    ["a Unix socket, with a port that is empty", { UNIX_SOCKET: "/a", PORT: "" }, { unix: "/a" }],
  ])("listens on %s", (_, variables, address) => {
    expect(listenAddress(readSettings(variables))).toEqual(address);
  });

  it("hands on what concerns the transport", () => {
    expect(transportSettings(readSettings({}))).toEqual({
      maxBackpressure: 1024 * 1024,
      idleTimeout: 120,
      compression: false,
      sharedPort: false,
    });
    const variables = {
      TLS_KEY: "k.pem",
      TLS_CERT: "c.pem",
      MAX_BACKPRESSURE: "1000",
      IDLE_TIMEOUT: "0",
      COMPRESSION: "true",
      WORKERS: "2",
      DATABASE_URL: "postgres://h/d",
    };
    expect(transportSettings(readSettings(variables))).toEqual({
      tls: { key: "k.pem", cert: "c.pem" },
      maxBackpressure: 1000,
      idleTimeout: 0,
      compression: true,
      sharedPort: true,
    });
  });

  it.each<[string, Record<string, string>, object]>([
    ["memory", {}, { name: "memory" }],
    ["memory beside a database", { DATABASE_URL: "postgres://h/d" }, { name: "memory" }],
    ["Redis where there is one", { REDIS_URL: "rediss://h" }, { name: "redis", url: "rediss://h", encryptionKeys: [] }],
    ["the database for workers", { DATABASE_URL: "postgres://h/d", WORKERS: "2" }, { name: "postgres" }],
    [
      "Redis for workers where there is one",
      { DATABASE_URL: "postgres://h/d", WORKERS: "2", REDIS_URL: "redis://h" },
      { name: "redis" },
    ],
    ["what is asked for", { CHANNEL_LAYER: "memory", REDIS_URL: "redis://h" }, { name: "memory" }],
    [
      "a database that is asked for",
      { CHANNEL_LAYER: "postgres", DATABASE_URL: "postgres://h/d" },
      { name: "postgres", url: "postgres://h/d" },
    ],
    [
      "another database that is asked for, as where DATABASE_URL leads to a pooler",
      { CHANNEL_LAYER: "postgres://direct/d", DATABASE_URL: "postgres://pooler/d" },
      { name: "postgres", url: "postgres://direct/d" },
    ],
    [
      "another Redis that is asked for, with keys",
      { CHANNEL_LAYER: "redis://other", REDIS_URL: "redis://h", CHANNEL_LAYER_KEYS: "a".repeat(32) },
      { name: "redis", url: "redis://other", encryptionKeys: ["a".repeat(32)] },
    ],
  ])("takes %s as the channel layer", (_, variables, choice) => {
    expect(layerChoice(readSettings(variables))).toMatchObject(choice);
  });

  it("has rules for failed logins", () => {
    expect(loginRules(readSettings({}))).toEqual({
      failuresPerAddress: 100,
      failuresBeforeDelay: 5,
      longestDelay: 900,
    });
    const variables = { MAX_LOGIN_FAILURES_PER_ADDRESS: "1", LOGIN_FAILURES_BEFORE_DELAY: "2", MAX_LOGIN_DELAY: "3" };
    expect(loginRules(readSettings(variables))).toEqual({
      failuresPerAddress: 1,
      failuresBeforeDelay: 2,
      longestDelay: 3,
    });
  });

  it("takes a list of proxies and a root path", () => {
    expect(readSettings({ TRUSTED_PROXIES: " 10.0.0.0/8, unix,", ROOT_PATH: "/a/b" })).toMatchObject({
      TRUSTED_PROXIES: ["10.0.0.0/8", "unix"],
      ROOT_PATH: "/a/b",
    });
  });

  it.each<[Record<string, string>, string]>([
    [
      { CHANNEL_LAYER: "memory", WORKERS: "2", DATABASE_URL: "postgres://h/d" },
      "CHANNEL_LAYER: expected redis://... or postgres with more than one worker; memory ends at the process",
    ],
    [
      { CHANNEL_LAYER: "postgres" },
      "CHANNEL_LAYER: expected DATABASE_URL with postgres; the embedded database belongs to one process",
    ],
    [
      { CHANNEL_LAYER: "http://user:secret@h" },
      "CHANNEL_LAYER: expected memory, postgres, or a URL such as redis://user:password@host:6379 or postgres://user:password@host/database",
    ],
    [{ REDIS_URL: "redis://h", CHANNEL_LAYER_KEYS: "short" }, "CHANNEL_LAYER_KEYS: expected keys of at least 32 bytes"],
    [
      { CHANNEL_LAYER_KEYS: "a".repeat(32) },
      "CHANNEL_LAYER_KEYS: expected a channel layer on Redis, the only one that encrypts",
    ],
    [{ PORT: "0x10" }, "PORT: expected a whole number from 0 to 65535"],
    [{ PORT: "65536" }, "PORT: expected a whole number from 0 to 65535"],
    [{ PORT: "1e3" }, "PORT: expected a whole number from 0 to 65535"],
    [{ MAX_HEADERS: "0" }, "MAX_HEADERS: expected a whole number from 1 to 2147483647"],
    [{ MAX_LIFETIME: "2147483648" }, "MAX_LIFETIME: expected a whole number from 0 to 2147483647"],
    [{ MAX_LIFETIME: "-1" }, "MAX_LIFETIME: expected a whole number from 0 to 2147483647"],
    [{ IDLE_TIMEOUT: "7" }, "IDLE_TIMEOUT: expected 0, or a whole number from 8 to 960"],
    [{ COMPRESSION: "yes" }, "COMPRESSION: expected true or false"],
    [{ ROOT_PATH: "app" }, "ROOT_PATH: expected a path such as /app, without a slash at its end"],
    [{ ROOT_PATH: "/app/" }, "ROOT_PATH: expected a path such as /app, without a slash at its end"],
    [{ UNIX_SOCKET: "run/sluice" }, "UNIX_SOCKET: expected an absolute path"],
    [{ UNIX_SOCKET: "/a", PORT: "1" }, "UNIX_SOCKET: expected it, or HOST and PORT, not both"],
    [{ UNIX_SOCKET: "/a", HOST: "h" }, "UNIX_SOCKET: expected it, or HOST and PORT, not both"],
    [
      { TRUSTED_PROXIES: "unix, 10.0.0.0/8, nonsense" },
      'TRUSTED_PROXIES: expected a list of IP addresses, ranges such as 10.0.0.0/8, and unix, got "nonsense"',
    ],
    [{ TLS_KEY: "k" }, "TLS_CERT: expected both TLS_KEY and TLS_CERT, or neither"],
    [{ TLS_CERT: "c" }, "TLS_KEY: expected both TLS_KEY and TLS_CERT, or neither"],
    [{ DRAIN_WINDOW: "10001" }, "DRAIN_WINDOW: expected at most SHUTDOWN_DEADLINE, of which it is a part"],
    [
      { WORKERS: "2" },
      "WORKERS: expected DATABASE_URL with more than one; the embedded database belongs to one process",
    ],
    [
      { WORKERS: "2", DATABASE_URL: "postgres://h/d", UNIX_SOCKET: "/a" },
      "WORKERS: expected a port with more than one; they cannot share a Unix socket",
    ],
  ])("%j is a fault", (variables, fault) => {
    expect(() => readSettings(variables)).toThrow(expect.objectContaining({ name: "SettingsError", message: fault }));
  });
});
