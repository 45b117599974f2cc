/** Applications that several themes try a transport with. */
import type { App } from "@sluice/core";

/** Accepts, and stays until the client goes. */
export const acceptAndStay: App<"websocket"> = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  await receive.pipe(() => {});
};

/** Sends every message back as it came. */
export const echo: App<"websocket"> = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  await receive.pipe((event) => {
    if (event.type !== "websocket.receive") return;
    return event.text === undefined
      ? send({ type: "websocket.send", bytes: event.bytes })
      : send({ type: "websocket.send", text: event.text });
  });
};

/** Answers with `body`, once `ready` has resolved. */
export function answering(body: string, ready: () => unknown = () => {}): App<"http"> {
  return async (_scope, _receive, send) => {
    await ready();
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body });
  };
}
