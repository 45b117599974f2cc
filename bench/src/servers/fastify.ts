/** The site in Fastify, by the documentation of its plugins: a hook for the origin, one for the token. */
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import fastifyJwt from "@fastify/jwt";
import fastifyWebsocket, { type WebSocket } from "@fastify/websocket";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { answerTo, isAllowed, type User } from "./by-hand.js";
import { issueTicket, logIn } from "./login-by-hand.js";
import { present } from "./present.js";
import { eventStream, loginLifetime, paths, site, siteSecret } from "./site.js";

declare module "@fastify/jwt" {
  interface FastifyJWT {
    payload: Readonly<Record<string, unknown>>;
    user: Readonly<Record<"sub" | "username" | "name", string>>;
  }
}

/** A browser puts the token of a WebSocket in the query. */
function extractToken({ ws, query, headers }: FastifyRequest): string | undefined {
  return ws ? (query as { readonly token?: string }).token : /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
}

const app = fastify();

await app.register(fastifyJwt, {
  secret: siteSecret(),
  sign: {
    algorithm: "HS256",
    header: { alg: "HS256", typ: "at+jwt" },
    iss: site.issuer,
    aud: site.audience,
    expiresIn: loginLifetime,
  },
  verify: {
    algorithms: ["HS256"],
    allowedIss: site.issuer,
    allowedAud: site.audience,
    requiredClaims: ["sub", "jti", "exp", "username", "name"],
    checkTyp: "at+jwt",
    clockTolerance: 5_000,
    extractToken,
  },
});
await app.register(fastifyWebsocket, { options: { maxPayload: 1024 * 1024, perMessageDeflate: false } });

async function checkOrigin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (!isAllowed(request.headers.origin)) await reply.code(403).send();
}

async function checkToken(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await request.jwtVerify();
  } catch {
    await reply.code(401).header("www-authenticate", "Bearer").send();
  }
}

const guarded = { websocket: true as const, preValidation: [checkOrigin, checkToken] };
const groups = new Map<string, Set<WebSocket>>();

app.get(paths.echo, guarded, (socket) => {
  socket.on("message", (data, isBinary) => socket.send(isBinary ? data : String(data)));
});

app.get(paths.json, guarded, (socket) => {
  socket.on("message", (data) => socket.send(answerTo(String(data))));
});

app.get<{ Params: { name: string } }>("/ws/group/:name/", guarded, (socket, { params: { name } }) => {
  const members = groups.get(name) ?? new Set();
  groups.set(name, members.add(socket));
  socket.on("message", (data) => {
    const text = String(data);
    for (const member of members) member.send(text);
  });
  socket.on("close", () => {
    members.delete(socket);
    if (members.size === 0 && groups.get(name) === members) groups.delete(name);
  });
});

app.post(paths.login, async (request, reply) => {
  const user = await logIn(request.body);
  if (user === undefined) return reply.code(401).send("wrong username or password");
  const { id, username, name } = user;
  return { token: await reply.jwtSign({ sub: id, username, name, jti: crypto.randomUUID() }) };
});

app.get(paths.me, { preValidation: checkToken }, async ({ user }) => userOf(user));

app.post(paths.ticket, { preValidation: checkToken }, async ({ user }) => ({ ticket: issueTicket(userOf(user)) }));

app.get(paths.events, { preValidation: checkToken }, async (_, reply) => {
  reply.header("content-type", "text/event-stream").header("cache-control", "no-store");
  return reply.send(Readable.from(events(), { objectMode: false }));
});

function userOf({ sub: id, username, name }: FastifyRequest["user"]): User {
  return { id, username, name };
}

function* events(): Iterable<string> {
  for (let count = 0; count < eventStream.count; count++) yield eventStream.event;
}

await app.listen({ port: 0, host: "127.0.0.1" });
present((app.server.address() as AddressInfo).port);
