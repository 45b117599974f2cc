import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";

let server: ServerProcess;
let ada: Awaited<ReturnType<typeof member>>;
beforeAll(async () => {
  server = await startServer({
    env: { MAX_CONNECTIONS_PER_USER: "0", SECRET_KEY: "a secret of the test's, 32 bytes long" },
  });
  ada = await member(server.url, "ada");
});

/** Whatever was done: it lives, it has not failed at anything, and it serves. */
afterAll(async () => {
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  const socket = await openSocket(`${server.url}/?token=${ada.token}`);
  socket.send({ command: "Say hello !" });
  expect(await socket.next()).toMatchObject({ data_string_back: null });
  await socket.close();
  expect(server.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  expect(server.log().filter(({ status }) => Number(status) >= 500)).toEqual([]);
  expect(server.log().filter(({ code }) => code === 1011)).toEqual([]);
  expect(server.output()).not.toContain(goodPassword);
  for (const secret of [ada.token, ada.jwt, "s3cret"]) expect(server.output()).not.toContain(secret);
  expect(await server.stop()).toBe(0);
});

const unsecured = (claims: object): string =>
  [{ alg: "none", typ: "at+jwt" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");

async function signed(
  secret: string,
  change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
  typ = "at+jwt",
): Promise<string> {
  const jwt = new SignJWT({ username: "ada", name: "" })
    .setProtectedHeader({ alg: "HS256", typ })
    .setIssuer("sluice")
    .setAudience("sluice")
    .setSubject(ada.id)
    .setJti("j")
    .setIssuedAt()
    .setExpirationTime("1h");
  return change(jwt).sign(new TextEncoder().encode(secret));
}

describe("tokens that are none", () => {
  it.each<[string, () => string | Promise<string>]>([
    ["missing", () => ""],
    ["blank", () => "?token="],
    ["white", () => "?token=%20%09"],
    ["huge", () => `?token=${"a".repeat(3_000)}`],
    ["binary", () => "?token=%00%ff%fe%0d%0a"],
    ["half a surrogate pair", () => "?token=%ed%a0%80"],
    [
      "alg: none",
      () => `?token=${unsecured({ sub: ada.id, username: "ada", iss: "sluice", aud: "sluice", exp: 4e9, jti: "j" })}.`,
    ],
    ["forged", async () => `?token=${await signed("another secret, which is 32 bytes long")}`],
    [
      "expired",
      async () => `?token=${await signed("a secret of the test's, 32 bytes long", (jwt) => jwt.setExpirationTime(1))}`,
    ],
    [
      "for others",
      async () => `?token=${await signed("a secret of the test's, 32 bytes long", (jwt) => jwt.setAudience("others"))}`,
    ],
    [
      "of another type",
      async () => `?token=${await signed("a secret of the test's, 32 bytes long", undefined, "JWT")}`,
    ],
    ["cut short", () => `?token=${ada.jwt.slice(0, -2)}`],
  ])("%s: refused, over WebSocket and HTTP alike", async (_, query) => {
    const given = await query();
    expect([400, 401]).toContain(await refusedWith(`${server.url}/${given}`));
    const token = new URLSearchParams(given).get("token") ?? "";
    const header = /^[\x21-\x7e]*$/.test(token) ? token : "%00";
    const response = await fetch(`${server.url}/api/me`, { headers: { authorization: `Bearer ${header}` } });
    expect(response.status).toBe(401);
  });

  it("two that differ are refused, though either is good", async () => {
    expect(await refusedWith(`${server.url}/?token=${ada.token}&token=${ada.jwt}`)).toBe(400);
    expect(
      await refusedWith(`${server.url}/?token=${ada.token}`, { headers: { authorization: `Bearer ${ada.jwt}` } }),
    ).toBe(400);
  });

  it("a request line that is too long is refused", async () => {
    expect(await refusedWith(`${server.url}/?token=${"a".repeat(200_000)}`)).toBe(431);
  });
});

describe("messages that are none", () => {
  const nonsense: (string | Buffer)[] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "1e999",
    '{"__proto__":{"x":1}}',
    `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
    '{"type":"chatMessage"}',
    '{"type":"constructor","data":{}}',
    '{"type":"message"}',
    '{"type":"message","data":{"message":{"a":1}}}',
    '{"type":"register","data":{"user_name":"\\u0000","password":"\\u0000","name":"\\u0000"}}',
    '{"type":"login","data":{"user_name":"\\ud800","password":"\\udfff"}}',
    `{"type":"login","data":{"user_name":"${"a".repeat(100_000)}","password":"${"b".repeat(100_000)}"}}`,
    '{"command":{"a":1}}',
    Buffer.from([0, 255, 254]),
    Buffer.alloc(100_000),
  ];

  it.each([
    ["/", { command: "Say hello !", data_string: "after all that" }],
    ["/ws/chat/", { type: "message", data: { message: "after all that" } }],
    ["/ws/chat/hostile/", { type: "message", data: { message: "after all that" } }],
    ["/ws/auth/", { type: "login", data: { user_name: "ada", password: "after all that" } }],
  ])("%s stays open through all of them", async (path, last) => {
    const socket = await openSocket(`${server.url}${path}?token=${ada.jwt}`);
    for (const message of nonsense) socket.raw.send(message);
    socket.send(last);
    const isLast = (answer: unknown) => /after all that|Unable to log in/.test(JSON.stringify(answer));
    // Some of the nonsense is a login that fails, and is answered like one.
    let answers = nonsense.length + 1;
    let seen = false;
    while (!seen && answers-- > 0) seen = isLast(await socket.next());
    expect(seen).toBe(true);
    expect(socket.raw.readyState).toBe(socket.raw.OPEN);
    await socket.close();
  });

  it("one that is too large closes its own connection", async () => {
    const socket = await openSocket(`${server.url}/ws/chat/?token=${ada.jwt}`);
    socket.raw.send(Buffer.alloc(1024 * 1024 + 1));
    expect(await socket.closed()).toMatchObject({ code: 1009 });
  });
});

describe("requests that are none", () => {
  it.each([
    ["a wrong path", "/nowhere/", {}, 404],
    ["a room in a room", "/ws/chat/a/b/", {}, 404],
    ["a line break in the path", "/ws/auth/ada/s3cret%0A/", {}, 404],
    ["percent-encoding that is none", "/ws/chat/%ff/", {}, 400],
    ["a foreign origin", "/ws/chat/", { origin: "https://evil.example" }, 403],
    ["the origin null", "/ws/chat/", { origin: "null" }, 403],
    ["an origin that looks like ours", "/ws/chat/", { origin: "http://localhost.evil.example" }, 403],
    ["a subprotocol twice", "/ws/auth/", { headers: { "sec-websocket-protocol": "a, a" } }, 400],
  ])("%s", async (_, path, options, status) => {
    expect(await refusedWith(`${server.url}${path}`, options)).toBe(status);
  });

  it("a room that the database could not keep", async () => {
    const socket = await openSocket(`${server.url}/ws/chat/a%00b/?token=${ada.jwt}`);
    expect(await socket.closed()).toEqual({ code: 4400, reason: "not the name of a room" });
  });

  it("a name of a megabyte", async () => {
    const socket = await openSocket(`${server.url}/ws/auth/`);
    socket.send({ type: "register", data: { user_name: "a", name: "b ".repeat(500_000), password: goodPassword } });
    expect(await socket.next()).toMatchObject({ type: "error", code: "bad_message" });
    await socket.close();
  });

  it("JSON of every kind at every endpoint", async () => {
    const bodies = [
      "",
      "{",
      "null",
      "[]",
      "1",
      '"x"',
      '{"username":[],"password":{}}',
      '{"username":"\\u0000","password":"\\u0000"}',
      `{"username":"${"a".repeat(10_000)}","password":"${"b".repeat(10_000)}"}`,
      '{"__proto__":{"username":"ada"}}',
    ];
    for (const path of ["/api/register", "/api/login", "/api/jwt", "/api/logout"]) {
      for (const body of bodies) expect((await post(`${server.url}${path}`, body)).status).toBeLessThan(500);
    }
  });
});

it("ten thousand connections, opened and dropped in the middle of their handshakes", async () => {
  const { port } = new URL(server.url);
  const handshake = [
    `GET /ws/chat/?token=${ada.token} HTTP/1.1`,
    `Host: localhost:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    "",
  ].join("\r\n");
  const total = 10_000;
  const atOnce = 200;
  let started = 0;
  async function drop(index: number): Promise<void> {
    const socket: TcpSocket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    // Cut at every place of the handshake, and right behind it, while the token is looked up.
    const written = index % 2 === 0 ? handshake.length : index % handshake.length;
    await new Promise((resolve) => socket.write(handshake.slice(0, written), resolve));
    socket.destroy();
  }
  async function worker(): Promise<void> {
    while (started < total) await drop(started++);
  }
  await Promise.all(Array.from({ length: atOnce }, worker));

  // A member who is there hears of nobody left behind, and is heard.
  const socket = await openSocket(`${server.url}/ws/chat/after-the-storm/?token=${ada.jwt}`);
  socket.send({ type: "message", data: { message: "quiet" } });
  expect(await socket.next()).toMatchObject({ data: { message: "quiet" } });
  await socket.close();
  // Every connection that was logged as opened is logged as closed.
  const count = (message: string) => server.log().filter(({ msg }) => msg === message).length;
  await server.until(() => count("open") === count("close"));
});
