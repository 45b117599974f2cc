import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith, type SocketOptions } from "./socket.js";
import { describeTransports } from "./transports.js";

const isoWithOffset = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00$/;

describeTransports((transport) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({ env: { TRANSPORT: transport } });
  });
  afterAll(() => server.stop());

  describe("a token for a hello", () => {
    let ada: Awaited<ReturnType<typeof member>>;
    beforeAll(async () => {
      ada = await member(server.url, "ada");
    });

    it.each<[string, (token: string) => { query?: string; options?: SocketOptions }]>([
      ["the query", (token) => ({ query: `?token=${token}` })],
      ["the query, not first", (token) => ({ query: `?x=1&token=${token}` })],
      ["Authorization: Bearer", (token) => ({ options: { headers: { authorization: `Bearer ${token}` } } })],
      ["Authorization: Token", (token) => ({ options: { headers: { authorization: `Token ${token}` } } })],
      ["the subprotocol", (token) => ({ options: { subprotocols: ["access_token", token] } })],
      [
        "the query, from a page of this host",
        (token) => ({ query: `?token=${token}`, options: { origin: "http://localhost:3000" } }),
      ],
    ])("by %s", async (_, carry) => {
      for (const token of [ada.token, ada.jwt]) {
        const { query = "", options = {} } = carry(token);
        const socket = await openSocket(`${server.url}/${query}`, options);
        if (options.subprotocols) expect(socket.raw.protocol).toBe("access_token");
        socket.send('{"command":"Say hello !","data_string":"This is the data string !"}');
        socket.send({ command: "unknown" });
        socket.send({ command: "Say hello !" });
        expect(await socket.next()).toEqual({
          command_response: "The command to say hello was received ",
          data_string_back: "This is the data string !",
        });
        expect(await socket.next()).toEqual({
          command_response: "The command to say hello was received ",
          data_string_back: null,
        });
        await socket.close();
      }
    });

    it("answers to the letter", async () => {
      const socket = await openSocket(`${server.url}/?token=${ada.token}`);
      const answered = new Promise((resolve) => socket.raw.once("message", (data) => resolve(String(data))));
      socket.send('{"command":"Say hello !","data_string":"This is the data string !"}');
      expect(await answered).toBe(
        '{"command_response":"The command to say hello was received ","data_string_back":"This is the data string !"}',
      );
      await socket.close();
    });

    it("shows the username in the log, and the token nowhere", async () => {
      const socket = await openSocket(`${server.url}/?token=${ada.token}`);
      await socket.close();
      await server.logged(({ msg, user, route }) => msg === "close" && user === "ada" && route === "/");
      expect(server.output()).not.toContain(ada.token);
      expect(server.output()).not.toContain(ada.jwt);
      expect(server.output()).not.toContain(goodPassword);
    });

    it("lets nobody else in", async () => {
      expect(await refusedWith(`${server.url}/`)).toBe(401);
      expect(await refusedWith(`${server.url}/?token=${"a".repeat(43)}`)).toBe(401);
      expect(await refusedWith(`${server.url}/?token=${ada.token}`, { origin: "https://evil.example" })).toBe(403);
    });
  });

  describe("a login over the socket", () => {
    beforeAll(() => member(server.url, "grace"));

    it("makes the connection that user's", async () => {
      const socket = await openSocket(`${server.url}/ws/login/`);
      socket.send({ username: "grace", password: goodPassword });
      expect(await socket.next()).toEqual({ status: "success", message: "Authentication successful" });
      socket.send({ command: "Say hello !", data_string: "still here" });
      expect(await socket.next()).toMatchObject({ data_string_back: "still here" });
      await socket.close();
      await server.logged(({ msg, user, route }) => msg === "close" && user === "grace" && route === "/ws/login/");
    });

    it.each([
      ["a wrong password", { username: "grace", password: "wrong" }],
      ["no password", { username: "grace" }],
      ["a list", []],
      ["no JSON", "hello"],
    ])("refuses %s and closes with 4401", async (_, message) => {
      const socket = await openSocket(`${server.url}/ws/login/`);
      socket.send(message);
      expect(await socket.next()).toEqual({ status: "error", message: "Invalid credentials" });
      expect(await socket.closed()).toMatchObject({ code: 4401 });
    });

    it("takes no credentials from the URL unless it is told to, and does not log them", async () => {
      expect(await refusedWith(`${server.url}/ws/auth/grace/${encodeURIComponent(goodPassword)}/`)).toBe(404);
      expect((await fetch(`${server.url}/ws/auth/grace/s3cret-in-url/`)).status).toBe(404);
      await server.logged(({ msg, status }) => msg === "refused" && status === 404);
      expect(server.output()).not.toContain("s3cret-in-url");
      expect(server.output()).not.toContain("orange stapler");
    });
  });

  describe("credentials in the URL, switched on", () => {
    let open: ServerProcess;
    beforeAll(async () => {
      open = await startServer({ env: { ALLOW_URL_CREDENTIALS: "true" } });
    });
    afterAll(() => open.stop());

    it("takes any characters, and logs none of them", async () => {
      const password = "a/b?c#d%e é😀 &=+";
      await post(`${open.url}/api/register`, { username: "a+b@c", password });
      const socket = await openSocket(
        `${open.url}/ws/auth/${encodeURIComponent("a+b@c")}/${encodeURIComponent(password)}/`,
      );
      socket.send({ command: "Say hello !" });
      expect(await socket.next()).toMatchObject({ data_string_back: null });
      await socket.close();
      await open.logged(({ msg, user }) => msg === "close" && user === "a+b@c");
      expect(await refusedWith(`${open.url}/ws/auth/a+b@c/wrong-pa55/`)).toBe(401);
      for (const path of ["/ws/auth//wrong-pa55/", "/ws/auth/wrong-pa55/", "/ws/auth/x/a+b@c/wrong-pa55/"]) {
        expect(await refusedWith(`${open.url}${path}`)).toBe(404);
      }
      expect(await refusedWith(`${open.url}/ws/auth/a+b@c/wrong-pa55%0A/`)).toBe(401);
      await open.logged(({ msg, status }) => msg === "refused" && status === 401);
      for (const secret of [password, encodeURIComponent(password), "wrong-pa55"])
        expect(open.output()).not.toContain(secret);
    });
  });

  describe("the public chat", () => {
    const command = (type: string, data: object) => ({ type, data });

    it("registers and logs in over a socket that stays open", async () => {
      const socket = await openSocket(`${server.url}/ws/auth/`);
      const ask = async (content: unknown) => {
        socket.send(content);
        return socket.next();
      };
      const user = { id: expect.any(String), userName: "linus", name: "Linus" };
      const registration = command("register", { name: "Linus", user_name: "linus", password: goodPassword });
      expect(await ask(registration)).toEqual({ type: "registered", data: { user } });
      expect(await ask(registration)).toMatchObject({
        type: "error",
        code: "invalid",
        message: "A user with that username already exists.",
      });
      expect(await ask(command("register", { name: "", user_name: "kid", password: "12345" }))).toMatchObject({
        type: "error",
        code: "invalid",
      });
      expect(await ask(command("login", { user_name: "linus", password: "wrong" }))).toEqual({
        type: "error",
        code: "invalid_credentials",
        message: "Unable to log in with provided credentials.",
      });
      for (const nonsense of [
        "{",
        [],
        { type: "dance" },
        command("login", {}),
        command("login", { user_name: 1, password: null }),
      ]) {
        expect(await ask(nonsense)).toMatchObject({ type: "error", code: "bad_message", message: expect.any(String) });
      }
      const loggedIn = await ask(command("login", { user_name: "linus", password: goodPassword }));
      expect(loggedIn).toEqual({
        type: "loggedIn",
        data: {
          token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          refresh: expect.stringMatching(/^[\w-]{107}$/),
          user,
        },
      });
      const { token } = (loggedIn as { data: { token: string } }).data;
      const chat = await openSocket(`${server.url}/ws/chat/linus-room/?token=${token}`);
      await chat.close();
      await socket.close();
    });

    it.each([
      ["/ws/chat/", "/ws/chat/"],
      ["/ws/chat/<str:room>/", "/ws/chat/caf%C3%A9%20%F0%9F%98%80/"],
    ])("%s: a message reaches every member, the sender too", async (route, path) => {
      const suffix = path.length;
      const [ada, bob] = await Promise.all([
        member(server.url, `ada${suffix}`, "Ada"),
        member(server.url, `bob${suffix}`),
      ]);
      const [one, two] = await Promise.all([
        openSocket(`${server.url}${path}?token=${ada.jwt}`),
        openSocket(`${server.url}${path}?x=1&token=${bob.jwt}`),
      ]);
      const elsewhere = await openSocket(`${server.url}/ws/chat/elsewhere${suffix}/?token=${bob.jwt}`);
      one.send({ type: "message", data: { message: "hi" } });
      const message = {
        type: "newMessage",
        data: {
          sender: { id: ada.id, userName: `ada${suffix}`, name: "Ada" },
          message: "hi",
          date: expect.stringMatching(isoWithOffset),
        },
      };
      expect(await one.next()).toEqual(message);
      expect(await two.next()).toEqual(message);
      two.send({ type: "message", data: { message: "ho" } });
      expect(await one.next()).toMatchObject({ data: { message: "ho", sender: { userName: `bob${suffix}` } } });
      // Who comes later is shown what was said, and what is said then once.
      const late = await openSocket(`${server.url}${path}?token=${bob.token}`);
      expect(await late.next()).toEqual(message);
      expect(await late.next()).toMatchObject({ data: { message: "ho" } });
      one.send({ type: "message", data: { message: "hello late" } });
      expect(await late.next()).toMatchObject({ data: { message: "hello late" } });
      elsewhere.send({ type: "message", data: { message: "own room" } });
      expect(await elsewhere.next()).toMatchObject({ data: { message: "own room" } });
      await Promise.all([one, two, late, elsewhere].map((socket) => socket.close()));
      await server.logged(
        ({ msg, route: logged, user }) => msg === "close" && logged === route && user === `ada${suffix}`,
      );
    });

    it("shows who joins the last fifty messages in their order", async () => {
      const { jwt } = await member(server.url, "talker");
      const socket = await openSocket(`${server.url}/ws/chat/long/?token=${jwt}`);
      for (let index = 0; index < 60; index++) socket.send({ type: "message", data: { message: `${index}` } });
      const texts = async (from: typeof socket, count: number) => {
        const seen: unknown[] = [];
        while (seen.length < count) seen.push(((await from.next()) as { data: { message: string } }).data.message);
        return seen;
      };
      const all = Array.from({ length: 60 }, (_, index) => `${index}`);
      expect(await texts(socket, 60)).toEqual(all);
      const late = await openSocket(`${server.url}/ws/chat/long/?token=${jwt}`);
      expect(await texts(late, 50)).toEqual(all.slice(10));
      late.send({ type: "message", data: { message: "next" } });
      expect(await texts(late, 1)).toEqual(["next"]);
      await Promise.all([socket.close(), late.close()]);
    });

    it.each([
      ["no token", ""],
      ["garbage", "?token=garbage"],
      ["garbage with dots", "?token=a.b.c"],
      [
        "alg: none",
        `?token=${[
          { alg: "none", typ: "at+jwt" },
          { sub: "1", username: "ada" },
        ]
          .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
          .join(".")}.`,
      ],
      ["a blank one", "?x=1&token="],
    ])("turns away a client with %s, in frames", async (_, query) => {
      const socket = await openSocket(`${server.url}/ws/chat/${query}`);
      expect(await socket.next()).toEqual({ type: "message", data: { message: "Not Authenticated.." } });
      expect(await socket.next()).toEqual({ type: "noAuth" });
      expect(await socket.closed()).toMatchObject({ code: 4401 });
    });

    it.each([
      ["no JSON", "{"],
      ["an unknown type", { type: "dance", data: {} }],
      ["no message", { type: "message", data: {} }],
      ["an empty one", { type: "message", data: { message: "" } }],
      ["one that is too long", { type: "message", data: { message: "a".repeat(4001) } }],
      ["a null character", { type: "message", data: { message: "a\u0000b" } }],
    ])("answers %s with an error frame and goes on", async (_, content) => {
      const { jwt } = await member(server.url, `m${Math.random().toString(36).slice(2)}`);
      const room = `${server.url}/ws/chat/errors-${Math.random().toString(36).slice(2)}/?token=${jwt}`;
      const socket = await openSocket(room);
      socket.send(content);
      expect(await socket.next()).toMatchObject({ type: "error", code: "bad_message", message: expect.any(String) });
      socket.send({ type: "message", data: { message: "after" } });
      expect(await socket.next()).toMatchObject({ type: "newMessage", data: { message: "after" } });
      await socket.close();
    });
  });
});
