/** What `sluice.ts` does with WebSockets, written by hand on node:http and ws: the least that is right. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { answerTo, authenticate, isAllowed } from "./by-hand.js";
import { present } from "./present.js";
import { paths, site } from "./site.js";

const server = createServer((_, response) => response.writeHead(404).end());
const webSockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024, perMessageDeflate: false });
const groups = new Map<string, Set<WebSocket>>();

server.on("upgrade", (request, socket, head) => {
  void upgrade(request, socket, head).catch(() => refuse(socket, "503 Service Unavailable"));
});

async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  socket.on("error", () => socket.destroy());
  if (!isAllowed(request.headers.origin)) return refuse(socket, "403 Forbidden");
  const { pathname, searchParams } = new URL(request.url ?? "/", `http://${site.allowedHost}`);
  const open = applicationOf(pathname);
  if (open === undefined) return refuse(socket, "404 Not Found");
  const token = searchParams.get("token");
  if (token === null || (await authenticate(token)) === undefined) return refuse(socket, "401 Unauthorized");
  webSockets.handleUpgrade(request, socket, head, open);
}

function refuse(socket: Duplex, status: string): void {
  const challenge = status.startsWith("401") ? "WWW-Authenticate: Bearer\r\n" : "";
  socket.end(`HTTP/1.1 ${status}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function applicationOf(path: string): ((socket: WebSocket) => void) | undefined {
  if (path === paths.echo) return echo;
  if (path === paths.json) return json;
  const [, name] = /^\/ws\/group\/([\w-]+)\/$/.exec(path) ?? [];
  return name === undefined ? undefined : (socket) => join(socket, name);
}

function echo(socket: WebSocket): void {
  // Text as a string, which is what an application needs that does more than echo.
  socket.on("message", (data: RawData, isBinary) => socket.send(isBinary ? data : String(data)));
}

function json(socket: WebSocket): void {
  socket.on("message", (data: RawData) => socket.send(answerTo(String(data))));
}

function join(socket: WebSocket, name: string): void {
  const members = groups.get(name) ?? new Set();
  groups.set(name, members.add(socket));
  socket.on("message", (data: RawData) => {
    const text = String(data);
    for (const member of members) member.send(text);
  });
  socket.on("close", () => {
    members.delete(socket);
    if (members.size === 0 && groups.get(name) === members) groups.delete(name);
  });
}

server.listen(0, "127.0.0.1", () => present((server.address() as AddressInfo).port));
