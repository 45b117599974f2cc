/** The site in Socket.IO, by its documentation: `allowRequest` for the origin, a middleware for the token, rooms for groups. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type DefaultEventsMap, Server } from "socket.io";
import { authenticate, isAllowed, type User } from "./by-hand.js";
import { present } from "./present.js";

interface Question {
  readonly n: number;
  readonly text: string;
}

interface Incoming {
  message(text: string): void;
  json(content: Question): void;
  join(room: string, done: () => void): void;
}

interface Outgoing {
  message(text: string): void;
  json(content: Question & { readonly type: "echoed" }): void;
}

interface SocketData {
  user: User;
  room: string | undefined;
}

const httpServer = createServer();
const io = new Server<Incoming, Outgoing, DefaultEventsMap, SocketData>(httpServer, {
  serveClient: false,
  transports: ["websocket"],
  // It does not ask a silent client whether it is still there: the driver is one that does not answer.
  pingInterval: 3_600_000,
  allowRequest: (request, callback) => callback(null, isAllowed(request.headers.origin)),
});

io.use((socket, next) => {
  const { token } = socket.handshake.auth as { readonly token?: unknown };
  if (typeof token !== "string") return next(new Error("unauthorized"));
  authenticate(token).then((user) => {
    if (user === undefined) return next(new Error("unauthorized"));
    socket.data.user = user;
    next();
  }, next);
});

io.on("connection", (socket) => {
  socket.on("message", (text) => {
    const { room } = socket.data;
    if (room === undefined) socket.emit("message", text);
    else io.to(room).emit("message", text);
  });
  socket.on("json", ({ n, text }) => socket.emit("json", { type: "echoed", n, text }));
  socket.on("join", (room, done) => {
    socket.data.room = room;
    void socket.join(room);
    done();
  });
});

httpServer.listen(0, "127.0.0.1", () => present((httpServer.address() as AddressInfo).port));
