import { type Channel, LayerUnavailable } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { OwnPostgres } from "../../../test/own-postgres.js";
import { PostgresChannelLayer } from "./postgres-channel-layer.js";

const timeout = 1_000;
/** Milliseconds in which a group is to work again when its server does, with a margin for a busy machine. */
const patience = 15_000;

const server = await OwnPostgres.open().catch((error: unknown) => {
  if (process.env.CI) throw error;
  return String(error);
});
const missing = typeof server === "string" ? ` (skipped: ${server})` : "";

describe.skipIf(typeof server === "string")(`an outage of PostgreSQL${missing}`, () => {
  const postgres = server as OwnPostgres;
  const layers: PostgresChannelLayer[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  beforeAll(() => void process.on("unhandledRejection", note));
  afterEach(async () => {
    await Promise.all(layers.splice(0).map((layer) => layer.close()));
    expect(unhandled).toEqual([]);
  });
  afterAll(async () => {
    process.off("unhandledRejection", note);
    await postgres.close();
  });

  async function open(logger?: RecordingLogger): Promise<PostgresChannelLayer> {
    const layer = new PostgresChannelLayer({
      url: postgres.url,
      timeout,
      capacity: 100_000,
      ...(logger && { logger }),
    });
    layers.push(layer);
    await layer.ready();
    return layer;
  }

  /** A member of a group, and what it gets. */
  async function member(layer: PostgresChannelLayer): Promise<{ channel: Channel; got: unknown[] }> {
    const channel = await layer.open({ gaps: true });
    await layer.groupAdd("room", channel.name);
    const got: unknown[] = [];
    void channel.pipe((message) => void got.push(message.type === "layer.gap" ? message : message.text));
    return { channel, got };
  }

  const send = (layer: PostgresChannelLayer, text: string) => layer.groupSend("room", { type: "chat", text });

  /** Sends until it works again; resolves with the milliseconds that took. */
  async function untilBack(layer: PostgresChannelLayer, got: unknown[]): Promise<number> {
    const start = performance.now();
    await vi.waitFor(
      async () => {
        await send(layer, "back");
        expect(got).toContain("back");
      },
      { timeout: patience, interval: 10 },
    );
    return performance.now() - start;
  }

  it("of a server that is killed under load is an error at once, a gap, and over when the server is back", async () => {
    const logger = new RecordingLogger();
    const [here, there] = [await open(logger), await open()];
    const members = [await member(here), await member(there)];
    const errors: unknown[] = [];
    let slowest = 0;
    let load = true;
    const senders = Array.from({ length: 20 }, async (_, sender) => {
      for (let index = 0; load; index++) {
        const start = performance.now();
        await send(here, `${sender} ${index}`).catch((error: unknown) => errors.push(error));
        slowest = Math.max(slowest, performance.now() - start);
        await new Promise(setImmediate);
      }
    });
    await vi.waitFor(() => expect(members[1]?.got.length).toBeGreaterThan(500), patience);
    const killed = Date.now();
    await postgres.kill();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1_000), patience);
    load = false;
    await Promise.all(senders);
    for (const error of errors) expect(error).toBeInstanceOf(LayerUnavailable);
    expect((errors[0] as Error).cause).toBeInstanceOf(Error);
    expect(slowest).toBeLessThan(2 * timeout);
    await expect(there.open()).resolves.toBeDefined();
    await expect(there.send("work", { type: "job" })).rejects.toBeInstanceOf(LayerUnavailable);

    await postgres.start();
    expect(await untilBack(here, members[1]?.got ?? [])).toBeLessThan(5_000);
    for (const { got } of members) {
      await vi.waitFor(() => expect(got).toContain("back"), patience);
      const gaps = got.filter((item): item is { since: number } => typeof item === "object");
      expect(gaps).toEqual([{ type: "layer.gap", reason: "unavailable", since: expect.any(Number) }]);
      expect(gaps[0]?.since).toBeLessThanOrEqual(killed);
      expect(gaps[0]?.since).toBeGreaterThan(killed - 2 * timeout);
    }
    expect(logger.lines.map(({ message }) => message)).toEqual([
      "the channel layer cannot be reached, and is called again",
      "the channel layer is back",
    ]);
    await here.send(members[1]?.channel.name ?? "", { type: "chat", text: "direct" });
    await vi.waitFor(() => expect(members[1]?.got).toContain("direct"), patience);
  });

  it("of a frozen server is found within the time-out, and is over when it goes on", async () => {
    const layer = await open();
    const { got } = await member(layer);
    await send(layer, "before");
    postgres.freeze();
    const start = performance.now();
    const first = Array.from({ length: 100 }, (_, index) => send(layer, `lost ${index}`));
    for (const sent of first) await expect(sent).rejects.toBeInstanceOf(LayerUnavailable);
    const found = performance.now() - start;
    expect(found).toBeLessThan(2 * timeout);
    // Both time-outs are due at the same moment; then there is nothing left to wait for.
    await vi.waitFor(async () => {
      const asked = performance.now();
      await expect(send(layer, "lost")).rejects.toBeInstanceOf(LayerUnavailable);
      expect(performance.now() - asked).toBeLessThan(50);
    }, timeout);
    postgres.thaw();
    expect(await untilBack(layer, got)).toBeLessThan(5_000);
    expect(got).toContainEqual({ type: "layer.gap", reason: "unavailable", since: expect.any(Number) });
  });

  it("of a frozen server is found by who is idle", async () => {
    const logger = new RecordingLogger();
    const layer = await open(logger);
    postgres.freeze();
    await vi.waitFor(() => expect(logger.lines).toHaveLength(1), patience);
    await expect(send(layer, "lost")).rejects.toMatchObject({
      cause: { message: expect.stringContaining("did not answer") },
    });
    postgres.thaw();
  });

  it("does not keep a layer from closing", async () => {
    const layer = await open();
    postgres.freeze();
    const lost = expect(send(layer, "lost")).rejects.toBeInstanceOf(LayerUnavailable);
    await layer.close();
    await lost;
    postgres.thaw();
  });
});
