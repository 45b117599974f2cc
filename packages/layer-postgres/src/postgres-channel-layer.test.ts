import { ConfigurationError, LayerUnavailable } from "@sluice/core";
import { RecordingLogger } from "@sluice/testing";
import { expect, it } from "vitest";
import { freePort } from "../../../test/embedded-server.mjs";
import { PostgresChannelLayer } from "./postgres-channel-layer.js";

it.each(["mysql://user:a-secret@host/name", "postgres://user:a-secret%@host/name", "a-secret", ""])(
  "refuses %j for a URL, and does not repeat it",
  (url) => {
    const open = () => new PostgresChannelLayer({ url });
    expect(open).toThrow(ConfigurationError);
    expect(open).not.toThrow("secret");
  },
);

it.each(["", "a b", "a:b", "ä", "x".repeat(41)])("refuses %j for a prefix", (prefix) => {
  expect(() => new PostgresChannelLayer({ url: "postgres://localhost", prefix })).toThrow(ConfigurationError);
});

it("refuses a time-out that is none", () => {
  expect(() => new PostgresChannelLayer({ url: "postgres://localhost", timeout: 0 })).toThrow(ConfigurationError);
});

it("without a server rejects at once with the driver's error, tells of it once, and shows no password", async () => {
  const logger = new RecordingLogger();
  const url = `postgres://user:a-secret@127.0.0.1:${await freePort()}/name`;
  const layer = new PostgresChannelLayer({ url, logger });
  const errors: unknown[] = [];
  for (const work of [() => layer.ready(), () => layer.ready(), () => layer.groupSend("room", { type: "chat" })]) {
    errors.push(await work().catch((error: unknown) => error));
  }
  for (const error of errors) {
    expect(error).toBeInstanceOf(LayerUnavailable);
    expect(error).toMatchObject({ cause: { code: "ECONNREFUSED" } });
  }
  expect(logger.lines).toHaveLength(1);
  expect(JSON.stringify([errors, logger.lines])).not.toContain("a-secret");
  await layer.close();
});
