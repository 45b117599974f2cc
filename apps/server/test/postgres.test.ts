import { afterAll, beforeAll, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { goodPassword, member, post } from "./client.js";
import { type ServerProcess, sluice, startServer } from "./server-process.js";
import { openSocket } from "./socket.js";

describePostgres(() => {
  let env: { DATABASE_URL: string; SECRET_KEY: string };
  let servers: ServerProcess[];

  beforeAll(async () => {
    env = { DATABASE_URL: await freshDatabase(), SECRET_KEY: "a secret that both processes know" };
    // At once, on an empty database: both want to migrate it.
    servers = await Promise.all([startServer({ env }), startServer({ env })]);
  });
  afterAll(async () => {
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
  });

  it("is one database to two servers and the command line", async () => {
    const [one, two] = servers.map(({ url }) => url) as [string, string];
    const { jwt } = await member(one, "ada", "Ada");
    expect((await post(`${two}/api/register`, { username: "ADA", password: goodPassword })).status).toBe(400);
    const login = await post(`${two}/api/login`, { username: "ada", password: goodPassword });
    const { token } = (await login.json()) as { token: string };

    const speaker = await openSocket(`${one}/ws/chat/pg/?token=${token}`);
    speaker.send({ type: "message", data: { message: "kept 😀" } });
    expect(await speaker.next()).toMatchObject({ data: { message: "kept 😀", sender: { name: "Ada" } } });
    const reader = await openSocket(`${two}/ws/chat/pg/?token=${jwt}`);
    expect(await reader.next()).toMatchObject({ data: { message: "kept 😀" } });
    await Promise.all([speaker.close(), reader.close()]);

    expect(await sluice(["token", "revoke", "ada"], env)).toMatchObject({
      code: 0,
      stdout: "Revoked 3 tokens of user ada\n",
    });
    const me = async (url: string, authorization: string) =>
      (await fetch(`${url}/api/me`, { headers: { authorization } })).status;
    expect(await me(one, `Token ${token}`)).toBe(401);
    expect(await me(two, `Bearer ${jwt}`)).toBe(401);
    const again = await post(`${one}/api/jwt`, { username: "ada", password: goodPassword });
    const { access } = (await again.json()) as { access: string };
    expect(await me(two, `Bearer ${access}`)).toBe(200);
    expect((await post(`${one}/api/logout`, "", { authorization: `Bearer ${access}` })).status).toBe(204);
    expect(await me(two, `Bearer ${access}`)).toBe(401);
  });
});
