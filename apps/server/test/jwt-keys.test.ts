import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { JwksTokens } from "@sluice/tokens-jose";
import { expect, it, onTestFinished } from "vitest";
import { goodPassword, post } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { type ServerProcess, startServer, temporaryDirectory } from "./server-process.js";

const pemOf = (namedCurve: string): string =>
  generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;

it("others verify the server's JWTs by its public keys, also when the key changes", async () => {
  const [data, database] = await Promise.all([temporaryDirectory(), quickDatabase()]);
  onTestFinished(() => data.remove());
  const [first, second] = [join(data.path, "first.pem"), join(data.path, "second.pem")];
  await Promise.all([writeFile(first, pemOf("P-256")), writeFile(second, pemOf("P-256"))]);
  const withKeys = async (keys: Record<string, string>): Promise<ServerProcess> => {
    const server = await startServer({ dataDirectory: data.path, env: { ...database, ...keys } });
    onTestFinished(() => server.kill());
    return server;
  };
  const login = async ({ url }: ServerProcess): Promise<string> =>
    (await (await post(`${url}/api/jwt`, { username: "grace", password: goodPassword })).json()).access;
  const me = async ({ url }: ServerProcess, token: string): Promise<number> =>
    (await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status;

  const server = await withKeys({ SIGNING_KEY: first });
  await post(`${server.url}/api/register`, { username: "grace", password: goodPassword });
  const token = await login(server);
  expect(await me(server, token)).toBe(200);
  const response = await fetch(`${server.url}/.well-known/jwks.json`);
  expect([response.status, response.headers.get("content-type"), response.headers.get("cache-control")]).toEqual([
    200,
    "application/jwk-set+json",
    "public, max-age=300",
  ]);
  const [key] = (await response.json()).keys;
  expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
  expect(await othersVerify(server, token)).toBe("grace");
  await server.stop();

  const renewed = await withKeys({ SIGNING_KEY: second, SIGNING_KEY_PREVIOUS: first });
  const newer = await login(renewed);
  for (const each of [token, newer]) {
    expect(await me(renewed, each)).toBe(200);
    expect(await othersVerify(renewed, each)).toBe("grace");
  }
});

/** The name in a token, as somebody finds it who has nothing but the URL of the keys. */
async function othersVerify({ url }: ServerProcess, token: string): Promise<string | undefined> {
  const verifier = new JwksTokens({
    jwksUrl: `${url}/.well-known/jwks.json`,
    issuer: "sluice",
    audience: "sluice",
    algorithms: ["ES256"],
    typ: "at+jwt",
    user: ({ sub, username }) => ({ isAuthenticated: true, id: String(sub), username: String(username) }),
  });
  return (await verifier.verify(token))?.user.username;
}
