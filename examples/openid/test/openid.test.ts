import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InMemoryChannelLayer, Leases, type Server, silentLogger } from "@sluice/core";
import { FakeClock } from "@sluice/testing";
import { serve } from "@sluice/transport-node";
import OpenIdProvider from "oidc-provider";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { createApplication } from "../src/application.js";

const audience = "https://chat.example.com";
const tokenLifetime = 600;

const provider = createServer();
let issuer: string;
let server: Server;
/** Of the leases: the provider goes by the system's time. */
const clock = new FakeClock(Date.now());

beforeAll(async () => {
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  // It warns of what a test is meant to be: in memory, with defaults.
  vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(console, "info").mockReturnValue();
  const { callback } = startProvider();
  provider.on("request", (request, response) => void callback(request, response));

  const leases = new Leases({ layer: new InMemoryChannelLayer(), clock });
  const configuration = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { jwks_uri: jwksUrl } = (await configuration.json()) as { jwks_uri: string };
  server = await serve(createApplication({ issuer, jwksUrl, audience }, leases), { port: 0, logger: silentLogger });
});
afterAll(async () => {
  await server.close();
  provider.closeAllConnections();
  provider.close();
});

function startProvider(): { readonly callback: ReturnType<OpenIdProvider["callback"]> } {
  const jwk = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const oidc = new OpenIdProvider(issuer, {
    jwks: { keys: [{ ...jwk, kty: "EC", kid: "provider-1", use: "sig" }] },
    clients: [
      {
        client_id: "reporter",
        client_secret: "a secret of the client's",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: "ES256",
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          audience: resource,
          scope: "chat:read chat:write",
          accessTokenFormat: "jwt",
          accessTokenTTL: tokenLifetime,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  return { callback: oidc.callback() };
}

/** An access token of the provider's, as a program without a user asks for it (RFC 6749 4.4). */
async function accessToken(scope: string, resource = audience): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`reporter:${encodeURIComponent("a secret of the client's")}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope, resource }),
  });
  const answer = (await response.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`expected a token, got ${JSON.stringify(answer)}`);
  return answer.access_token;
}

function visit(token: string): WebSocket {
  const url = `${server.url.replace("http", "ws")}/ws/echo/`;
  const socket = new WebSocket(url, ["access_token", token]);
  socket.on("error", () => {});
  onTestFinished(() => socket.terminate());
  return socket;
}

async function refusal(token: string): Promise<number> {
  const [, response] = await once(visit(token), "unexpected-response");
  return response.statusCode;
}

it("lets in who has a token of the provider's for this application", async () => {
  const socket = visit(await accessToken("chat:read chat:write"));
  const [hello] = await once(socket, "message");
  expect(JSON.parse(`${hello}`)).toEqual({ subject: "reporter", client: "reporter" });
  socket.send("Good evening");
  expect(`${(await once(socket, "message"))[0]}`).toBe("Good evening");
});

it("closes the connection when the token ends", async () => {
  const socket = visit(await accessToken("chat:write"));
  await once(socket, "message");
  const closed = once(socket, "close");
  await clock.advance((tokenLifetime + 1) * 1000);
  const [code, reason] = await closed;
  expect([code, `${reason}`]).toEqual([4401, "expired"]);
});

it("refuses with 403 a token without the scope", async () => {
  expect(await refusal(await accessToken("chat:read"))).toBe(403);
});

it("refuses with 401 a token for another application, and one that was changed", async () => {
  expect(await refusal(await accessToken("chat:write", "https://mail.example.com"))).toBe(401);
  const [header, claims, signature] = (await accessToken("chat:write")).split(".");
  const { sub: _, ...others } = JSON.parse(Buffer.from(claims ?? "", "base64url").toString());
  const forged = Buffer.from(JSON.stringify({ ...others, sub: "admin" })).toString("base64url");
  expect(await refusal(`${header}.${forged}.${signature}`)).toBe(401);
});
