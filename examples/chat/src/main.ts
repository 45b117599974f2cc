import * as sluice from "@sluice/core";
import { JwtTokens } from "@sluice/tokens-jose";
import { serve } from "@sluice/transport-node";
import { z } from "zod";

const { SECRET_KEY = "change me: 32 bytes or more, please", PORT = "8000" } = process.env;
const clock = sluice.systemClock;
const tokens = new JwtTokens({ keys: { current: SECRET_KEY }, issuer: "chat", audience: "chat", clock });
const layer = new sluice.InMemoryChannelLayer({ clock });

const Message = z.object({ text: z.string().max(1000) });
type Needs = { user: sluice.User; urlRoute: { kwargs: { room: string } } };
type Events = { "chat.message": { from: string; text: string } };

class Chat extends sluice.JsonWebsocketConsumer<Needs, Events, z.infer<typeof Message>> {
  static readonly schema = Message; // what a client may send
  static readonly handlers = ["chat.message"] as const; // what the channel layer may call
  override readonly groups = [`chat.${this.scope.urlRoute.kwargs.room}`];

  override async receiveJson({ text }: z.infer<typeof Message>) {
    const [room = ""] = this.groups;
    await this.channelLayer.groupSend(room, { type: "chat.message", from: this.scope.user.username, text });
  }

  chatMessage({ from, text }: Events["chat.message"]) {
    return this.sendJson({ from, text });
  }
}

const rooms = sluice.URLRouter([sluice.path("ws/chat/<slug:room>/", sluice.asApp(Chat, { layer }))]);
const from = [sluice.fromHeader(), sluice.fromSubprotocol()];
const gate = sluice.TokenAuth(rooms, { verifier: tokens, from, onAnonymous: "deny" });

export const application = sluice.ProtocolTypeRouter({
  http: sluice.fetchApp(() => Response.json({ hello: "world" })),
  websocket: sluice.AllowedHostsOriginValidator(gate, ["localhost"], { allowMissingOrigin: true }),
});

const server = await serve(application, { port: Number(PORT), logger: console });
const ada = { id: "1", username: "ada", name: "Ada" };
console.log(server.url, (await tokens.issue(ada, { expiresIn: 3_600_000 })).token);
