import { createHash } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { member, post } from "./client.js";
import { type ServerProcess, sluice, startServer } from "./server-process.js";
import { openSocket, refusedWith } from "./socket.js";

describePostgres(() => {
  describe("two servers that remember good tokens for a minute", () => {
    let env: Record<string, string>;
    let servers: ServerProcess[];
    beforeAll(async () => {
      env = {
        SECRET_KEY: "a secret that all processes know, 32 bytes",
        DATABASE_URL: await freshDatabase(),
        CHANNEL_LAYER: "postgres",
        TOKEN_CACHE_AGE: "60000",
      };
      // The first one migrates.
      servers = [await startServer({ env })];
      servers.push(await startServer({ env }));
    });
    afterAll(async () => {
      expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
    });

    const urls = (): [string, string] => servers.map(({ url }) => url) as [string, string];
    const me = async (url: string, token: string): Promise<number> =>
      (await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    /** Until the server is in touch with the other one and has verified the token since then, it keeps nothing. */
    const remembered = async (token: string): Promise<void> => {
      for (const url of urls()) {
        const socket = await openSocket(`${url}/ws/chat/room/?token=${token}`);
        await socket.close();
        for (let time = 0; time < 3; time++) expect(await me(url, token)).toBe(200);
      }
    };

    it.each(["token", "jwt"] as const)("refuse a %s from the answer to its logout on, on both", async (kind) => {
      const [here, there] = urls();
      const { [kind]: token } = await member(here, `ada-${kind}`);
      await remembered(token);
      expect((await post(`${here}/api/logout`, "", { authorization: `Bearer ${token}` })).status).toBe(204);
      expect(await me(here, token)).toBe(401);
      expect(await refusedWith(`${here}/?token=${token}`)).toBe(401);
      // As soon as it hears of it, which is long before it would have looked the token up again.
      await vi.waitFor(async () => expect(await me(there, token)).toBe(401), { timeout: 20_000, interval: 20 });
    });

    it("refuse the tokens of a user whom the command line has logged out", async () => {
      const [here, there] = urls();
      const { token } = await member(here, "bob");
      await remembered(token);
      expect(await sluice(["token", "revoke", "bob"], env)).toMatchObject({ code: 0 });
      for (const url of [here, there]) {
        await vi.waitFor(async () => expect(await me(url, token)).toBe(401), { timeout: 20_000, interval: 20 });
      }
    });

    it("do not look for what nobody tells them of", async () => {
      const [here] = urls();
      const { token } = await member(here, "eve");
      await remembered(token);
      const sql = postgres(env.DATABASE_URL ?? "", { max: 1 });
      const digest = createHash("sha256").update(token).digest("hex");
      expect(await sql`delete from tokens where digest = ${digest} returning digest`).toHaveLength(1);
      await sql.end({ timeout: 5 });
      expect(await me(here, token)).toBe(200);
    });
  });
});
