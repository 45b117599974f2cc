import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemoryChannelLayer } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { expect, it } from "vitest";
import { openServices } from "./services.js";
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
