import {
  AllowedHostsOriginValidator,
  type App,
  asApp,
  InMemoryChannelLayer,
  ProtocolTypeRouter,
  path,
  URLRouter,
  WebsocketConsumer,
} from "@sluice/core";

type InRoom = { urlRoute: { kwargs: { room: string } } };
type RoomEvents = { "room.message": { text: string } };

/** Hands what one visitor says to everybody in the room. */
class Room extends WebsocketConsumer<InRoom, RoomEvents> {
  static readonly handlers = ["room.message"] as const;
  readonly room = `room.${this.scope.urlRoute.kwargs.room}`;
  override readonly groups = [this.room];

  override async receive(data: string | Uint8Array) {
    if (typeof data !== "string") return this.close(1003);
    await this.channelLayer.groupSend(this.room, { type: "room.message", text: data });
  }

  roomMessage({ text }: RoomEvents["room.message"]) {
    return this.send(text);
  }
}

/** The WebSockets, whichever server they are mounted on. Pages of other hosts than `hosts` are refused. */
export function createApplication(hosts: readonly string[]): App {
  const layer = new InMemoryChannelLayer();
  const rooms = URLRouter([path("ws/rooms/<slug:room>/", asApp(Room, { layer }))]);
  return ProtocolTypeRouter({ websocket: AllowedHostsOriginValidator(rooms, hosts) });
}
