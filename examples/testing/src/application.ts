import * as sluice from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";

type Needs = { user: sluice.User; urlRoute: { kwargs: { room: string } } };
type Events = { "room.said": { from: string; text: string } };

class Room extends sluice.WebsocketConsumer<Needs, Events> {
  static readonly handlers = ["room.said"] as const;
  override readonly groups = [`room.${this.scope.urlRoute.kwargs.room}`];

  override async receive(data: string | Uint8Array) {
    if (typeof data !== "string") throw new TypeError("expected text, got binary");
    const [room = ""] = this.groups;
    await this.channelLayer.groupSend(room, { type: "room.said", from: this.scope.user.username, text: data });
  }

  roomSaid({ from, text }: Events["room.said"]) {
    return this.send(JSON.stringify({ from, text }));
  }
}

/** The clock comes from outside, so that a test can move it. */
export function createApplication(clock: sluice.Clock = sluice.systemClock) {
  const keys = { current: "at least 32 bytes, for tests alone" };
  const tokens = new JwtTokens({ keys, issuer: "rooms", audience: "rooms", clock });
  const room = sluice.asApp(Room, { layer: new sluice.InMemoryChannelLayer({ clock }) });
  const rooms = sluice.URLRouter([sluice.path("ws/<slug:room>/", room)]);
  const gate = sluice.TokenAuth(rooms, { verifier: tokens, from: [sluice.fromHeader()], onAnonymous: "deny" });
  const http = sluice.fetchApp(({ url }) => Response.json({ path: new URL(url).pathname }));
  return { room, tokens, application: sluice.ProtocolTypeRouter({ http, websocket: gate }) };
}

export const ada = { id: "1", username: "ada", name: "Ada", isAuthenticated: true } as const;
