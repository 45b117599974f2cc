/** What `sluice-uws.ts` does, written by hand: the least that is right. */

import { App, type HttpResponse, us_socket_local_port } from "uWebSockets.js";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { present } from "./present.js";
import { site, siteSecret } from "./site.js";

interface User {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

interface UserData {
  readonly user: User;
}

const mebibyte = 1024 * 1024;

const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(siteSecret()),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["verify"],
);

const verification = {
  algorithms: ["HS256"],
  typ: "at+jwt",
  issuer: site.issuer,
  audience: site.audience,
  clockTolerance: 5,
};

/** Undefined for a token that is no good. */
async function authenticate(token: string): Promise<User | undefined> {
  try {
    return userOf((await jwtVerify(token, key, verification)).payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function userOf({ sub, username, name, jti, exp }: JWTPayload): User | undefined {
  if (typeof sub !== "string" || sub === "" || typeof jti !== "string" || exp === undefined) return undefined;
  return typeof username === "string" && typeof name === "string" ? { id: sub, username, name } : undefined;
}

function isAllowed(origin: string): boolean {
  try {
    return new URL(origin).hostname === site.allowedHost;
  } catch {
    return false;
  }
}

/** Call it corked. */
function refuse(response: HttpResponse, status: string): void {
  response.writeStatus(status);
  if (status.startsWith("401")) response.writeHeader("www-authenticate", "Bearer");
  response.end(status);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const app = App();

app.ws<UserData>(site.path, {
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
    let aborted = false;
    response.onAborted(() => {
      aborted = true;
    });

    const answer = (respond: () => void): void => {
      if (!aborted) response.cork(respond);
    };
    authenticate(token).then(
      (user) =>
        answer(() => {
          if (user === undefined) refuse(response, "401 Unauthorized");
          else response.upgrade<UserData>({ user }, webSocketKey, "", "", context);
        }),
      () => answer(() => refuse(response, "503 Service Unavailable")),
    );
  },

  message(socket, message, isBinary) {
    // Text as a string, which is what an application needs that does more than echo.
    socket.send(isBinary ? message : decoder.decode(message), isBinary);
  },
});

app.any("/*", (response) => refuse(response, "404 Not Found"));

app.listen("127.0.0.1", 0, (socket) => {
  if (socket === false) throw new Error("expected a free port on 127.0.0.1, got none");
  present(us_socket_local_port(socket));
});
