import { connect, type Socket } from "node:net";
import { type App, type Protocol, type Server, silentLogger } from "@sluice/core";
import { onTestFinished } from "vitest";
import type { ServeOptions } from "../src/options.js";
import { serve } from "../src/serve.js";

export type Applications = { readonly [P in Protocol]?: App<P> };

type Where = "port" | "host" | "unix";
type Options = Partial<Omit<ServeOptions, Where>> & {
  readonly port?: number;
  readonly host?: string;
  readonly unix?: string;
};

/** Serves the applications until the test is over. */
export async function start(applications: Applications, options: Options = {}): Promise<Server> {
  const app: App = (scope, receive, send) => (applications[scope.type] as App | undefined)?.(scope, receive, send);
  const defaults = "unix" in options ? { logger: silentLogger } : { port: 0, logger: silentLogger };
  const server = await serve(app, { ...defaults, ...options } as ServeOptions);
  onTestFinished(() => server.close({ deadline: 0 }));
  return server;
}

/** Answers with what `answer` makes of the scope, as JSON. */
export const telling = (answer: (scope: Parameters<App<"http">>[0]) => unknown): App<"http"> => {
  return async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: JSON.stringify(answer(scope)) });
  };
};

/** Accepts, and stays for as long as the client does. */
export const acceptAndStay: App<"websocket"> = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  await receive.pipe(() => {});
};

/** A connection to a port, or to the path of a Unix socket, until the test is over. */
export function open(target: number | string): Socket {
  const socket =
    typeof target === "string"
      ? connect({ path: target, allowHalfOpen: true })
      : connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Resolves when the server has ended or cut the connection. Reads on until then. */
export function endOf(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => resolve());
    // A reset is as good an end as any.
    socket.once("error", () => {});
  });
}

/** What comes back, segment by segment, until the server ends the connection or `done` says so. */
export async function talk(
  target: number | string,
  bytes: string | Uint8Array,
  done: (all: string) => boolean = () => false,
): Promise<string[]> {
  const socket = open(target);
  const segments: string[] = [];
  socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  for await (const segment of socket) {
    segments.push((segment as Buffer).toString("latin1"));
    if (done(segments.join(""))) break;
  }
  return segments;
}

export const request = (lines: readonly string[] = [], method = "GET", path = "/"): string =>
  [`${method} ${path} HTTP/1.1`, "Host: test.example", ...lines, "", ""].join("\r\n");

export const handshake: string = request([
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
]);
