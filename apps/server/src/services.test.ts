import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemoryChannelLayer } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { expect, it, vi } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { openServices, type Services } from "./services.js";
import { readSettings } from "./settings.js";

it("closes the layer where the rest cannot be opened: it would keep the process alive", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-"));
  try {
    await writeFile(join(directory, "secret-key"), "too short");
    const layer = new InMemoryChannelLayer();
    const opened = openServices(readSettings({ DATA_DIR: directory }), new RecordingLogger(), layer);
    await expect(opened).rejects.toThrow("expected a secret of at least 32 bytes");
    await expect(layer.open()).rejects.toMatchObject({ code: "layer_unavailable" });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** Services that have their layer to themselves, with a user who has a token. */
async function withToken(
  variables: Record<string, string>,
  test: (services: Services, token: string) => Promise<void>,
): Promise<void> {
  const settings = readSettings({
    DATABASE_URL: await freshDatabase(),
    SECRET_KEY: "a secret of the test's, 32 bytes long",
    TOKEN_CACHE_AGE: "60000",
    ...variables,
  });
  const services = await openServices(settings, new RecordingLogger(), new InMemoryChannelLayer());
  try {
    await services.database.migrate();
    const user = await services.database.users.create({ username: "ada", name: "Ada", passwordHash: "x" });
    const { token } = await services.tokens.issue(user.id);
    await test(services, token);
  } finally {
    await services.close();
  }
}

/** Has the token looked up once more, and says whether it was. */
async function isLookedUp({ verifier, database }: Services, token: string): Promise<boolean> {
  const findAll = vi.spyOn(database.tokens, "findAll");
  expect(await verifier.verify(token)).toMatchObject({ user: { username: "ada" } });
  const looked = findAll.mock.calls.length > 0;
  findAll.mockRestore();
  return looked;
}

describePostgres(() => {
  const shared = { CHANNEL_LAYER: "postgres" };
  const patience = { timeout: 20_000 };

  it("a good token is remembered until it is revoked", async () => {
    await withToken(shared, async (services, token) => {
      // The first is verified before the process hears itself.
      await vi.waitFor(async () => expect(await isLookedUp(services, token)).toBe(false), patience);
      const grant = await services.verifier.verify(token);
      expect(grant?.tokenId).toBe(createHash("sha256").update(token).digest("hex"));
      if (grant === undefined) return;
      await services.logins.end(grant);
      expect(await services.verifier.verify(token)).toBeUndefined();
    });
  });

  it("a good token is forgotten with all of its user's, and a verification that is under way brings none of them back", async () => {
    await withToken(shared, async (services, token) => {
      await vi.waitFor(async () => expect(await isLookedUp(services, token)).toBe(false), patience);
      const { user } = (await services.verifier.verify(token)) ?? {};
      const other = (await services.tokens.issue(user?.id ?? "")).token;
      const { findAll } = services.database.tokens;
      let answer = (): void => {};
      vi.spyOn(services.database.tokens, "findAll").mockImplementationOnce(async (digests) => {
        const found = await findAll(digests);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return found;
      });
      const early = services.verifier.verify(other);
      await vi.waitFor(() => expect(vi.mocked(services.database.tokens.findAll)).toHaveBeenCalled(), patience);
      expect(await services.logins.endAllOf(user?.id ?? "", "revoked")).toBe(2);
      const late = services.verifier.verify(other);
      answer();
      await early;
      expect(await late).toBeUndefined();
      for (const each of [token, other]) expect(await services.verifier.verify(each)).toBeUndefined();
    });
  });

  it("a good token is looked up each time where the settings say so", async () => {
    await withToken({ ...shared, TOKEN_CACHE_SIZE: "0" }, async (services, token) => {
      for (let time = 0; time < 3; time++) expect(await isLookedUp(services, token)).toBe(true);
    });
  });

  it("a good token is looked up each time where other processes revoke and have no layer to say so by", async () => {
    await withToken({}, async (services, token) => {
      for (let time = 0; time < 3; time++) expect(await isLookedUp(services, token)).toBe(true);
    });
  });
});
