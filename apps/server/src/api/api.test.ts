import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemoryChannelLayer } from "@sluice/core";
import { HttpCommunicator, RecordingLogger } from "@sluice/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApplication } from "../application.js";
import { openServices, type Services } from "../services.js";
import { readSettings } from "../settings.js";

const logger = new RecordingLogger();
let directory: string;
let services: Services;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-"));
  services = await openServices(readSettings({ DATA_DIR: directory }), logger, new InMemoryChannelLayer());
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it("answers 503 while the database is gone, and says why in the log", async () => {
  const application = createApplication(services);
  await services.close();
  for (const path of ["/api/login", "/api/register"]) {
    const response = await new HttpCommunicator(application, "POST", path, {
      headers: [
        ["host", "localhost"],
        ["content-type", "application/json"],
      ],
      body: '{"username":"ada","password":"orange stapler museum"}',
    }).getResponse();
    expect([response.status, response.json()]).toEqual([
      503,
      { detail: "Service temporarily unavailable, try again later." },
    ]);
  }
  const ready = new HttpCommunicator(application, "GET", "/readyz", { headers: [["host", "localhost"]] });
  expect((await ready.getResponse()).status).toBe(503);
  expect(logger.errors).toHaveLength(3);
});
