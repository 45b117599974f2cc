/** What `sluice.ts` does, written by hand on uWebSockets.js: the least that is right. */
import {
  App,
  type HttpRequest,
  type HttpResponse,
  us_socket_local_port,
  type WebSocket,
  type WebSocketBehavior,
} from "uWebSockets.js";
import { answerTo, authenticate, isAllowed, issue, type User } from "./by-hand.js";
import { issueTicket, logIn } from "./login-by-hand.js";
import { present } from "./present.js";
import { databaseUrl, eventStream, paths } from "./site.js";

interface UserData {
  readonly user: User;
  /** The group that the path names; elsewhere nobody asks. */
  readonly group: string;
}

type Authenticate = (token: string) => Promise<User | undefined>;

const mebibyte = 1024 * 1024;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const app = App();

/** Call it corked. */
function refuse(response: HttpResponse, status: string): void {
  response.writeStatus(status);
  if (status.startsWith("401")) response.writeHeader("www-authenticate", "Bearer");
  response.end(status);
}

/** Calls back corked, unless the client has gone meanwhile. */
function answering(response: HttpResponse): (respond: () => void) => void {
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  return (respond) => {
    if (!aborted) response.cork(respond);
  };
}

function serveWebSocket(
  path: string,
  behavior: Pick<WebSocketBehavior<UserData>, "message" | "open">,
  verify: Authenticate = authenticate,
): void {
  app.ws<UserData>(path, {
    maxPayloadLength: mebibyte,
    maxBackpressure: mebibyte,
    closeOnBackpressureLimit: true,
    idleTimeout: 120,
    sendPingsAutomatically: true,

    upgrade(response, request, context) {
      if (!isAllowed(request.getHeader("origin"))) return refuse(response, "403 Forbidden");
      if (request.getHeader("sec-websocket-version") !== "13") return refuse(response, "426 Upgrade Required");
      const token = request.getQuery("token");
      if (token === undefined) return refuse(response, "401 Unauthorized");
      const webSocketKey = request.getHeader("sec-websocket-key");
      const group = request.getParameter(0) ?? "";
      const answer = answering(response);
      verify(token).then(
        (user) =>
          answer(() => {
            if (user === undefined) refuse(response, "401 Unauthorized");
            else response.upgrade<UserData>({ user, group }, webSocketKey, "", "", context);
          }),
        () => answer(() => refuse(response, "503 Service Unavailable")),
      );
    },
    ...behavior,
  });
}

function echo(socket: WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void {
  // Text as a string, which is what an application needs that does more than echo.
  socket.send(isBinary ? message : decoder.decode(message), isBinary);
}

serveWebSocket(paths.echo, { message: echo });

serveWebSocket(paths.json, {
  message: (socket, message) => void socket.send(answerTo(decoder.decode(message))),
});

serveWebSocket("/ws/group/:name/", {
  open: (socket) => void socket.subscribe(socket.getUserData().group),
  // By the application: a socket's own publish leaves it out.
  message: (socket, message) => void app.publish(socket.getUserData().group, decoder.decode(message)),
});

const url = databaseUrl();
if (url !== undefined) {
  // Loaded where it is asked for, as in the other server.
  const { openTokens } = await import("./opaque-by-hand.js");
  serveWebSocket(paths.opaque, { message: echo }, openTokens(url));
}

/** Hands over the user of a request, or refuses it. */
function forUser(
  handle: (response: HttpResponse, user: User) => void,
): (response: HttpResponse, request: HttpRequest) => void {
  return (response, request) => {
    const [, token] = /^Bearer (.+)$/i.exec(request.getHeader("authorization")) ?? [];
    if (token === undefined) return refuse(response, "401 Unauthorized");
    const answer = answering(response);
    authenticate(token).then(
      (user) => answer(() => (user === undefined ? refuse(response, "401 Unauthorized") : handle(response, user))),
      () => answer(() => refuse(response, "503 Service Unavailable")),
    );
  };
}

function sendJson(response: HttpResponse, content: unknown): void {
  response.writeHeader("content-type", "application/json").end(JSON.stringify(content));
}

app.get(
  paths.me,
  forUser((response, { id, username, name }) => sendJson(response, { id, username, name })),
);

app.post(
  paths.ticket,
  forUser((response, user) => sendJson(response, { ticket: issueTicket(user) })),
);

app.get(
  paths.events,
  forUser((response) => {
    response.writeHeader("content-type", "text/event-stream").writeHeader("cache-control", "no-store");
    for (let count = 0; count < eventStream.count; count++) response.write(eventStream.event);
    response.end();
  }),
);

app.post(paths.login, (response) => {
  const answer = answering(response);
  const chunks: Buffer[] = [];
  response.onData((chunk, isLast) => {
    // What is handed over is gone when this returns.
    chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    tokenFor(Buffer.concat(chunks)).then(
      (token) =>
        answer(() => (token === undefined ? refuse(response, "401 Unauthorized") : sendJson(response, { token }))),
      () => answer(() => refuse(response, "400 Bad Request")),
    );
  });
});

async function tokenFor(body: Buffer): Promise<string | undefined> {
  const user = await logIn(JSON.parse(body.toString()));
  return user && issue(user);
}

app.any("/*", (response) => refuse(response, "404 Not Found"));

app.listen("127.0.0.1", 0, (socket) => {
  if (socket === false) throw new Error("expected a free port on 127.0.0.1, got none");
  present(us_socket_local_port(socket));
});
