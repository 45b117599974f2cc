import { type App, type Protocol, type ServeOptions, type Server, silentLogger } from "@sluice/core";
import { onTestFinished } from "vitest";
import { serve } from "../src/serve.js";

export type Applications = { readonly [P in Protocol]?: App<P> };

export function compose(applications: Applications): App {
  return (scope, receive, send) => (applications[scope.type] as App | undefined)?.(scope, receive, send);
}

/** Serves the applications on a port until the test is over. */
export async function start(
  applications: Applications,
  options: Omit<Partial<ServeOptions>, "unix" | "port"> = {},
): Promise<Server> {
  const server = await serve(compose(applications), { port: 0, logger: silentLogger, ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return server;
}

/** Answers with what `answer` makes of the scope. */
export const telling = (answer: (scope: Parameters<App<"http">>[0]) => unknown): App<"http"> => {
  return async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: JSON.stringify(answer(scope)) });
  };
};

/** Answers with the body of the request. */
export const mirror: App<"http"> = async (_scope, receive, send) => {
  const pieces: Uint8Array[] = [];
  for (let event = await receive(); event.type === "http.request"; event = await receive()) {
    pieces.push(event.body);
    if (!event.moreBody) break;
  }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: Buffer.concat(pieces) });
};

/** Sends every message back as it came. */
export const echo: App<"websocket"> = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  await receive.pipe((event) => {
    if (event.type !== "websocket.receive") return undefined;
    return event.text === undefined
      ? send({ type: "websocket.send", bytes: event.bytes })
      : send({ type: "websocket.send", text: event.text });
  });
};
