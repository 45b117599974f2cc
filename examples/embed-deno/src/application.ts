import * as sluice from "@sluice/core";

type Needs = { urlRoute: { kwargs: { room: string } } };
type Events = { "room.message": { text: string } };

/*
 * To the letter the same as beside the other runtime, so that it is seen not to depend on it. It is there twice, as each of
 * these folders can be copied out and runs as it is.
 */

/** Everybody in a room sees what anybody in it says. */
class Room extends sluice.WebsocketConsumer<Needs, Events> {
  static readonly handlers = ["room.message"] as const;
  override readonly groups = [`room.${this.scope.urlRoute.kwargs.room}`];

  override async receive(data: string | Uint8Array): Promise<void> {
    const [room = ""] = this.groups;
    if (typeof data === "string") await this.channelLayer.groupSend(room, { type: "room.message", text: data });
  }

  roomMessage({ text }: Events["room.message"]): sluice.MaybePromise<void> {
    return this.send(text);
  }
}

const layer = new sluice.InMemoryChannelLayer({ clock: sluice.systemClock });

export const application = sluice.ProtocolTypeRouter({
  http: sluice.fetchApp(() => Response.json({ hello: "world" })),
  websocket: sluice.URLRouter([sluice.path("rooms/<slug:room>/", sluice.asApp(Room, { layer }))]),
});
