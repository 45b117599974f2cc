import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { member, post } from "./client.js";
import { quickDatabase } from "./quick-database.js";
import { type ServerProcess, startServer } from "./server-process.js";
import { openSocket, type Socket } from "./socket.js";
import { describeTransports } from "./transports.js";

const secret = "a secret of the test's, 32 bytes long";

/** A JWT of the server's as it would have issued it for so many seconds from now. */
function lasting(jwt: string, seconds: number): Promise<string> {
  return new SignJWT({ ...decodeJwt(jwt), jti: crypto.randomUUID(), exp: Math.floor(Date.now() / 1_000) + seconds })
    .setProtectedHeader({ ...decodeProtectedHeader(jwt), alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

describeTransports((transport) => {
  let server: ServerProcess;
  let ada: Awaited<ReturnType<typeof member>>;
  let eve: typeof ada;
  beforeAll(async () => {
    server = await startServer({ env: { ...(await quickDatabase()), SECRET_KEY: secret, TRANSPORT: transport } });
    ada = await member(server.url, "ada");
    eve = await member(server.url, "eve");
  });
  afterAll(async () => {
    for (const token of [ada.token, ada.jwt, eve.token, eve.jwt]) expect(server.output()).not.toContain(token);
    expect(await server.stop()).toBe(0);
  });

  const enter = (room: string, token: string): Promise<Socket> =>
    openSocket(`${server.url}/ws/chat/${room}/`, { subprotocols: ["access_token", token] });
  const renew = (socket: Socket, token: string): Promise<unknown> => {
    socket.send({ type: "auth", token });
    return socket.next();
  };
  const says = async (socket: Socket, message: string, userName = "ada"): Promise<void> => {
    socket.send({ type: "message", data: { message } });
    expect(await socket.next()).toMatchObject({ type: "newMessage", data: { message, sender: { userName } } });
  };

  it("a connection whose JWT is renewed outlives the first one, and ends with the second", async () => {
    // Its logout ends the session of its tokens.
    const bob = await member(server.url, "bob");
    const short = await lasting(bob.jwt, 4);
    const [renewed, other] = await Promise.all([enter("lasting", short), enter("lasting", short)]);
    const answer = (await renew(renewed, bob.jwt)) as { readonly expires_in: number };
    expect(answer).toEqual({ type: "authenticated", expires_in: expect.any(Number) });
    expect(answer.expires_in).toBeGreaterThan(4);
    expect(await other.closed()).toEqual({ code: 4401, reason: "expired" });
    await says(renewed, "still here", "bob");
    const loggedOut = await post(`${server.url}/api/logout`, "", { authorization: `Bearer ${bob.jwt}` });
    expect(loggedOut.status).toBe(204);
    expect(await renewed.closed()).toEqual({ code: 4401, reason: "logged_out" });
  });

  it("a token that will not do is refused in a frame, and the connection goes on with the one it had", async () => {
    const socket = await enter("mine", ada.token);
    for (const token of [eve.token, eve.jwt]) {
      expect(await renew(socket, token)).toMatchObject({ type: "error", code: "user_mismatch" });
    }
    for (const token of ["", "forged", `${eve.jwt}x`, await lasting(ada.jwt, -60)]) {
      expect(await renew(socket, token)).toMatchObject({ type: "error", code: "invalid_token" });
    }
    await says(socket, "still me");
    await socket.close();
  });

  it("either kind of token takes the place of the other", async () => {
    const jwt = await lasting(ada.jwt, 600);
    const socket = await enter("both", jwt);
    // It does not expire.
    expect(await renew(socket, ada.token)).toEqual({ type: "authenticated" });
    expect(await renew(socket, jwt)).toMatchObject({ type: "authenticated" });
    await says(socket, "whichever");
    await socket.close();
  });
});
