import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type App,
  asApp,
  type ChannelLayer,
  DenyConnection,
  ProtocolTypeRouter,
  WebsocketConsumer,
} from "@sluice/core";

/** The group that every WebSocket is in for as long as it is open. */
export const group = "everybody";
/** What every request is answered with. */
export const body = "ok";

/** Where a handshake is accepted in a later turn, and a message answered in one. */
export const latePath = "/later";

class Echo extends WebsocketConsumer {
  override readonly groups = [group];

  override async connect(): Promise<void> {
    if (this.scope.path === "/refuse") throw new DenyConnection();
    if (this.scope.path === latePath) await nextTurn();
    await this.accept();
  }

  override async receive(data: string | Uint8Array): Promise<void> {
    if (this.scope.path === latePath) await nextTurn();
    await this.send(data);
  }
}

const answer: App<"http"> = async (scope, receive, send) => {
  for (let more = true; more; ) {
    const event = await receive();
    if (event.type === "http.disconnect") return;
    more = event.moreBody;
  }
  await send({ type: "http.response.start", status: 200 });
  if (scope.path !== "/stream") return send({ type: "http.response.body", body });
  for (const letter of body) {
    await send({ type: "http.response.body", body: letter, moreBody: true });
    await nextTurn();
  }
  await send({ type: "http.response.body" });
};

/** Answers every request, and echoes on every WebSocket but those it refuses. */
export function fuzzApplication(layer: ChannelLayer): App {
  return ProtocolTypeRouter({ http: answer, websocket: asApp(Echo, { layer }) });
}
