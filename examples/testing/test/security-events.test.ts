import * as sluice from "@sluice/core";
import { RecordingLogger, WebsocketCommunicator } from "@sluice/testing";
import { expect, test } from "vitest";

class Chat extends sluice.JsonWebsocketConsumer {}

/** One line per event: what goes its way as information, the rest as warnings. */
function toLog(logger: sluice.Logger): sluice.OnSecurityEvent {
  const usual = new Set<string>(["login", "renewal", "revocation"]);
  return (event) => logger[usual.has(event.type) ? "info" : "warn"]({ event }, "security event");
}

function createApplication(verifier: sluice.TokenVerifier, onSecurityEvent: sluice.OnSecurityEvent) {
  const leases = new sluice.Leases({ layer: new sluice.InMemoryChannelLayer(), onSecurityEvent });
  const chat = sluice.requireScope("chat:read")(sluice.asApp(Chat, { onSecurityEvent }));
  const gate = sluice.TokenAuth(chat, { verifier, from: [sluice.fromHeader()], leases, onSecurityEvent });
  return { leases, application: sluice.AllowedHostsOriginValidator(gate, ["example.com"], { onSecurityEvent }) };
}

test("all that the gate decides is in the log, and no token", async () => {
  const user = { isAuthenticated: true, id: "1", username: "ada" } as const;
  const grants = new Map<string, sluice.Grant>([
    ["reader's", { user, tokenId: "r", expiresAt: undefined, scopes: ["chat:read"] }],
    ["other's", { user, tokenId: "o", expiresAt: undefined }],
  ]);
  const logger = new RecordingLogger();
  const { leases, application } = createApplication({ verify: (token) => grants.get(token) }, toLog(logger));
  const open = async (token: string, origin = "https://example.com") => {
    const headers: sluice.HeaderList = [
      ["origin", origin],
      ["authorization", `Bearer ${token}`],
    ];
    const client = new WebsocketCommunicator(application, "/", { headers });
    return { client, opened: (await client.connect()).connected };
  };
  const { client, opened } = await open("reader's");
  expect([opened, (await open("other's")).opened, (await open("stolen")).opened]).toEqual([true, false, false]);
  expect((await open("reader's", "https://evil.example")).opened).toBe(false);
  await leases.revokeUser("1", "disabled");
  expect(await client.receiveClose()).toMatchObject({ code: 4401, reason: "disabled" });

  const at = { client: "127.0.0.1", protocol: "websocket" };
  expect(logger.lines.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
    { level: "info", event: { type: "login", userId: "1", tokenId: "r", carrier: "header", ...at } },
    { level: "info", event: { type: "login", userId: "1", tokenId: "o", carrier: "header", ...at } },
    {
      level: "warn",
      event: { type: "refusal", reason: "insufficient_scope", scope: "chat:read", userId: "1", tokenId: "o", ...at },
    },
    { level: "warn", event: { type: "failure", reason: "invalid_token", carrier: "header", ...at } },
    { level: "warn", event: { type: "refusal", reason: "origin", ...at } },
    {
      level: "info",
      event: { type: "revocation", of: "user", userId: "1", reason: "disabled", closed: 1, elsewhere: false },
    },
  ]);
});
