import { afterAll, beforeAll, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, refusedWith, type Socket } from "./socket.js";
import { type TcpProxy, tcpProxy } from "./tcp-proxy.js";

const say = (socket: Socket, text: string): void => socket.send({ type: "message", data: { message: text } });
const heard = (text: string): object => expect.objectContaining({ data: expect.objectContaining({ message: text }) });

describePostgres(() => {
  let database: TcpProxy;
  let server: ServerProcess;
  let token: string;
  beforeAll(async () => {
    database = await tcpProxy(await freshDatabase());
    server = await startServer({
      env: { DATABASE_URL: database.url, SECRET_KEY: "x".repeat(32), TRANSPORT: "node" },
    });
    ({ token } = await member(server.url, "ada"));
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
    await database.close();
  });

  const room = () => openSocket(`${server.url}/ws/chat/faults/?token=${token}`);
  const ready = async () => (await fetch(`${server.url}/readyz`)).status;
  const login = async () => (await post(`${server.url}/api/login`, { username: "ada", password: goodPassword })).status;
  const errors = () => server.log().filter(({ level }) => level === 50);

  it("a database that hangs keeps waiting who needs it, and nobody else", async () => {
    const [writer, reader] = await Promise.all([room(), room()]);
    database.freeze();
    say(writer, "slowly");
    const entering = room();
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    const stranger = await openSocket(`${server.url}/ws/login/`);
    stranger.send("{}");
    expect(await stranger.next()).toEqual({ status: "error", message: "Invalid credentials" });
    database.thaw();
    expect(await writer.next()).toEqual(heard("slowly"));
    expect(await reader.next()).toEqual(heard("slowly"));
    const sockets = [writer, reader, await entering];
    await Promise.all(sockets.map((socket) => socket.close()));
    expect(errors()).toEqual([]);
  });

  it("a database that dies fails what needs it, says why, and is found again when it is back", async () => {
    const [writer, reader] = await Promise.all([room(), room()]);
    expect([await writer.next(), await reader.next()]).toEqual([heard("slowly"), heard("slowly")]);
    await database.die();
    expect(await ready()).toBe(503);
    expect(await login()).toBe(503);
    expect(await refusedWith(`${server.url}/?token=${token}`)).toBe(503);
    say(writer, "lost");
    expect(await writer.closed()).toMatchObject({ code: 1011 });
    expect(errors()).toHaveLength(3);
    for (const { err } of errors()) expect(JSON.stringify(err)).toContain("the database cannot be reached");

    await database.revive();
    expect(await ready()).toBe(200);
    expect(await login()).toBe(200);
    const again = await room();
    expect(await again.next()).toEqual(heard("slowly"));
    say(again, "back");
    // The one who had nothing to do with the database meanwhile is still there.
    expect([await again.next(), await reader.next()]).toEqual([heard("back"), heard("back")]);
    await Promise.all([again.close(), reader.close()]);
    expect(errors()).toHaveLength(3);
  });
});
