import { afterAll, beforeAll, expect, it } from "vitest";
import { member, post, ticketFor } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";
import { describeTransports } from "./transports.js";

const here = "http://localhost:3000";
const elsewhere = "http://127.0.0.1:3000";

describeTransports((transport) => {
  let server: ServerProcess;
  let ada: Awaited<ReturnType<typeof member>>;
  beforeAll(async () => {
    server = await startServer({ env: { TRANSPORT: transport, ...(await quickDatabase()) } });
    ada = await member(server.url, "ada", "Ada");
  });
  afterAll(() => server.stop());

  const open = (ticket: string, origin?: string) =>
    openSocket(`${server.url}/?ticket=${ticket}`, origin === undefined ? {} : { origin });
  const refusal = (ticket: string, origin?: string) =>
    refusedWith(`${server.url}/?ticket=${ticket}`, origin === undefined ? {} : { origin });

  it("is answered with one, which nobody is to store", async () => {
    const response = await post(`${server.url}/api/ticket/`, "", { authorization: `Bearer ${ada.token}` });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/), expires_in: 30 });
  });

  it("is given to nobody who has no token in the header, and by POST only", async () => {
    for (const [path, headers, challenge] of [
      ["/api/ticket", {}, "Bearer"],
      ["/api/ticket", { authorization: "Bearer bad" }, 'Bearer error="invalid_token"'],
      [`/api/ticket?token=${ada.token}`, {}, "Bearer"],
      [`/api/ticket?ticket=${await ticketFor(server.url, ada.token)}`, {}, "Bearer"],
    ] as const) {
      const response = await post(`${server.url}${path}`, "", headers);
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, challenge]);
    }
    const response = await fetch(`${server.url}/api/ticket`, { headers: { authorization: `Bearer ${ada.token}` } });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
  });

  it.each(["token", "jwt"] as const)("lets one of two in who come with it at the same time: %s", async (kind) => {
    for (let round = 0; round < 3; round++) {
      const ticket = await ticketFor(server.url, ada[kind]);
      const [one, two] = await Promise.allSettled([open(ticket), open(ticket)]);
      const [won, lost] = one.status === "fulfilled" ? [one, two] : [two, one];
      if (won.status !== "fulfilled") throw won.reason;
      expect(lost).toMatchObject({ reason: { message: "Unexpected server response: 401" } });
      won.value.send({ command: "Say hello !" });
      expect(await won.value.next()).toMatchObject({ data_string_back: null });
      await won.value.close();
      expect(await refusal(ticket)).toBe(401);
    }
  });

  it("is good for the page that asked, and used up by any other that may come in", async () => {
    const pages = [here, elsewhere, undefined];
    for (const asking of pages) {
      await (await open(await ticketFor(server.url, ada.token, asking), asking)).close();
      for (const presenting of pages.filter((page) => page !== asking)) {
        const ticket = await ticketFor(server.url, ada.token, asking);
        expect(await refusal(ticket, presenting)).toBe(401);
        expect(await refusal(ticket, asking)).toBe(401);
      }
    }
  });

  it("is not used up by a page that may not come in, by a request, or where there is nothing to open", async () => {
    const ticket = await ticketFor(server.url, ada.token, here);
    expect(await refusal(ticket, "https://evil.example")).toBe(403);
    expect(await refusedWith(`${server.url}/nowhere/?ticket=${ticket}`, { origin: here })).toBe(404);
    for (const path of ["/", "/api/me", "/ws/chat/"]) {
      const response = await fetch(`${server.url}${path}?ticket=${ticket}`, { headers: { origin: here } });
      expect(response.status).toBe({ "/": 200, "/api/me": 401, "/ws/chat/": 404 }[path]);
    }
    await (await open(ticket, here)).close();
  });

  it("stands beside no token, and a token does not stand for it", async () => {
    const ticket = await ticketFor(server.url, ada.token);
    const headers = { authorization: `Bearer ${ada.token}` };
    expect(await refusedWith(`${server.url}/?ticket=${ticket}`, { headers })).toBe(400);
    expect(await refusedWith(`${server.url}/?ticket=${ticket}&token=${ada.token}`)).toBe(400);
    expect(await refusedWith(`${server.url}/?ticket=${ada.token}&token=${ada.token}`)).toBe(400);
    for (const token of [ada.token, ada.jwt]) expect(await refusal(token)).toBe(401);
    expect(await refusedWith(`${server.url}/?token=${ticket}`)).toBe(401);
    await (await open(ticket)).close();
  });

  it("opens the chat, and a connection that ends with its token", async () => {
    const { token } = await member(server.url, "grace", "Grace");
    const chat = async () =>
      openSocket(`${server.url}/ws/chat/tickets/?ticket=${await ticketFor(server.url, token, here)}`, { origin: here });
    const socket = await chat();
    socket.send({ type: "message", data: { message: "hi" } });
    expect(await socket.next()).toMatchObject({
      data: { message: "hi", sender: { userName: "grace", name: "Grace" } },
    });
    const unused = await ticketFor(server.url, token);
    expect((await post(`${server.url}/api/logout`, "", { authorization: `Bearer ${token}` })).status).toBe(204);
    expect(await socket.closed()).toEqual({ code: 4401, reason: "logged_out" });
    expect(await refusal(unused)).toBe(401);
  });

  it("is not in the log, whatever became of it", async () => {
    const [opened, refused, asked] = await Promise.all([1, 2, 3].map(() => ticketFor(server.url, ada.token)));
    await (await open(opened ?? "")).close();
    await server.logged(({ msg, user, route }) => msg === "close" && user === "ada" && route === "/");
    expect(await refusal(refused ?? "", here)).toBe(401);
    await fetch(`${server.url}/somewhere?ticket=${asked}`);
    await server.logged(({ msg, route }) => msg === "request" && route === "/[redacted]");
    for (const secret of [opened, refused, asked, ada.token]) expect(server.output()).not.toContain(secret);
  });
});
