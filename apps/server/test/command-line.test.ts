import { once } from "node:events";
import { stat } from "node:fs/promises";
import { connect, createServer } from "node:net";

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goodPassword, post } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { sluice, startServer, temporaryDirectory } from "./server-process.js";
import { openSocket } from "./socket.js";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const run = (line: string, env: Record<string, string> = {}) =>
  sluice(line.split(" "), { DATA_DIR: directory.path, ...env });

describe("the command line", () => {
  it("has help for everything", async () => {
    const lines = [
      "--help",
      "serve --help",
      "migrate --help",
      "createsuperuser --help",
      "changepassword --help",
      "disable --help",
      "enable --help",
      "token --help",
      "token create --help",
      "token revoke --help",
    ];
    const answers = await Promise.all(lines.map((line) => run(line)));
    for (const [index, { code, stdout }] of answers.entries()) {
      expect([lines[index], code]).toEqual([lines[index], 0]);
      expect(stdout).toContain("Usage: sluice");
    }
  });

  it.each(["", "dance", "token", "token create", "serve --dance"])("%j: exit code 2", async (line) => {
    const { code, stderr } = await run(line);
    expect(code).toBe(2);
    expect(stderr).not.toContain("    at ");
  });

  it("makes users, changes passwords and hands out tokens on the database that the server serves", async () => {
    const database = await quickDatabase();
    const run = (line: string, env: Record<string, string> = {}) =>
      sluice(line.split(" "), { DATA_DIR: directory.path, ...database, ...env });
    expect(await run("migrate")).toEqual({ code: 0, stdout: "The database is up to date.\n", stderr: "" });
    const create = () => run("createsuperuser --username root --no-input", { SUPERUSER_PASSWORD: goodPassword });
    expect(await create()).toEqual({ code: 0, stdout: "Superuser created successfully.\n", stderr: "" });
    expect(await create()).toEqual({
      code: 1,
      stdout: "",
      stderr: "sluice: A user with that username already exists.\n",
    });
    expect(await run("createsuperuser --username weak --no-input", { SUPERUSER_PASSWORD: "12345678" })).toMatchObject({
      code: 1,
      stderr: "sluice: This password is too common. This password is entirely numeric.\n",
    });
    expect(await run("createsuperuser --no-input")).toMatchObject({
      code: 1,
      stderr: "sluice: expected --username or SUPERUSER_USERNAME with --no-input\n",
    });
    for (const line of ["createsuperuser", "createsuperuser --username x", "changepassword root"]) {
      expect(await run(line)).toMatchObject({
        code: 1,
        stderr: "sluice: expected a terminal to ask on; use --no-input in a script\n",
      });
    }
    expect(await run("changepassword nobody --no-input", { NEW_PASSWORD: "x" })).toMatchObject({
      code: 1,
      stderr: "sluice: user 'nobody' does not exist\n",
    });
    expect(await run("changepassword ROOT --no-input", { NEW_PASSWORD: "another fine staple" })).toEqual({
      code: 0,
      stdout: "Password changed successfully for user 'root'\n",
      stderr: "",
    });
    const tokens: string[] = [];
    for (const line of ["token create root", "token create root", "token create root --reset"]) {
      const { code, stdout } = await run(line);
      expect(code).toBe(0);
      tokens.push(/^Generated token ([\w-]{43}) for user root\n$/.exec(stdout)?.[1] ?? "");
    }
    expect(new Set(tokens).size).toBe(3);

    const server = await startServer({ dataDirectory: directory.path, env: database });
    const me = async (token = "") =>
      (await fetch(`${server.url}/api/me`, { headers: { authorization: `Token ${token}` } })).status;
    expect(await Promise.all(tokens.map(me))).toEqual([401, 401, 200]);
    const login = (password: string) => post(`${server.url}/api/login`, { username: "root", password });
    expect((await login(goodPassword)).status).toBe(400);
    expect((await login("another fine staple")).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(await run("token revoke root")).toEqual({ code: 0, stdout: "Revoked 2 tokens of user root\n", stderr: "" });
  });

  it("shares a data directory with nobody", async () => {
    const server = await startServer({ dataDirectory: directory.path });
    const locked = await run("token revoke keeper");
    expect(locked.code).toBe(1);
    expect(locked.stderr).toMatch(new RegExp(`^sluice: .*${directory.path}.*${server.process.pid}.*\n$`));
    expect(await server.stop()).toBe(0);
    const create = await run("createsuperuser --username keeper --no-input", { SUPERUSER_PASSWORD: goodPassword });
    expect(create).toEqual({ code: 0, stdout: "Superuser created successfully.\n", stderr: "" });
    expect(await run("token revoke keeper")).toEqual({
      code: 0,
      stdout: "Revoked 0 tokens of user keeper\n",
      stderr: "",
    });
  });
});

describe("serve", () => {
  it("makes its own secret, for its owner only, and keeps it", async () => {
    const { mode } = await stat(join(directory.path, "secret-key"));
    expect(mode & 0o777).toBe(0o600);
  });

  it.each([
    [
      "no secret",
      { NODE_ENV: "production", ALLOWED_HOSTS: "example.com" },
      "sluice: SECRET_KEY: expected a secret of at least 32 bytes in production\n",
    ],
    [
      "a short secret",
      { NODE_ENV: "production", ALLOWED_HOSTS: "example.com", SECRET_KEY: "short-s3cret" },
      "sluice: SECRET_KEY: expected at least 32 bytes; make one with: openssl rand -base64 48\n",
    ],
    [
      "no hosts",
      { NODE_ENV: "production", SECRET_KEY: "x".repeat(32) },
      "sluice: ALLOWED_HOSTS: expected the host names this server is reached by in production\n",
    ],
  ])("refuses production with %s, in one line", async (_, env, line) => {
    expect(await run("serve", env)).toEqual({ code: 1, stdout: "", stderr: line });
  });

  it("names each setting that cannot be used, and shows no value", async () => {
    const { code, stderr } = await run("serve", {
      PORT: "http",
      TRANSPORT: "carrier-pigeon",
      DATABASE_URL: "mysql://u:s3cret@h/d",
      LOG_LEVEL: "loud",
    });
    expect(code).toBe(1);
    for (const name of ["PORT", "TRANSPORT", "DATABASE_URL", "LOG_LEVEL"]) expect(stderr).toContain(`${name}: `);
    expect(stderr).not.toContain("s3cret");
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("says in one line that a port is in use", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, stderr } = await run("serve", { PORT: `${port}` });
    blocker.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^sluice: .*${port}.*in use.*\n$`));
  });

  it("says that a database cannot be reached, without its password", async () => {
    const { code, stderr } = await run("serve", { DATABASE_URL: "postgres://u:s3cret@127.0.0.1:1/d" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: .*database.*\n$/);
    expect(stderr).not.toContain("s3cret");
  });

  it("does not ask twice: a second signal ends it at once", async () => {
    const server = await startServer();
    // A client that never finishes its request keeps a stop waiting.
    const client = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(client, "connect");
    client.write(
      "POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{",
    );
    await fetch(`${server.url}/healthz`);
    const exited = once(server.process, "exit");
    server.process.kill("SIGTERM");
    await server.logged(({ msg }) => msg === "stopping");
    server.process.kill("SIGINT");
    expect((await exited)[0]).toBe(1);
    client.destroy();
  });

  it("stops on SIGTERM with exit code 0 while clients are connected, who are told why", async () => {
    const server = await startServer();
    const socket = await openSocket(`${server.url}/ws/login/`);
    expect(await server.stop()).toBe(0);
    expect(await socket.closed()).toMatchObject({ code: 1012 });
  });
});
