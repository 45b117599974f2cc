import {
  type App,
  asApp,
  type ChannelLayer,
  DenyConnection,
  fetchApp,
  HttpConsumer,
  type Logger,
  ProtocolTypeRouter,
  path,
  URLRouter,
} from "@sluice/core";
import { PlannedFailure } from "./failures.js";
import type { Leak } from "./leak.js";
import { BrokenRoom, groupOf, Room, type RoomEvents, type RoomRoute, SlowRoom } from "./room.js";
import { welcome } from "./words.js";

/** What is said in a room, as server-sent events. */
class Events extends HttpConsumer<RoomRoute, Pick<RoomEvents, "chat.message">> {
  static readonly handlers = ["chat.message"] as const;
  override readonly groups: readonly string[] = [groupOf(this.scope.urlRoute.kwargs.room)];

  async handle(): Promise<void> {
    await this.sendHeaders(200, { headers: [["content-type", "text/event-stream"]] });
    await this.sendBody(`data: ${welcome}\n\n`, { moreBody: true });
  }

  async chatMessage({ text }: RoomEvents["chat.message"]): Promise<void> {
    await this.sendBody(`data: ${text}\n\n`, { moreBody: true });
  }
}

/** Everything that a soak does to a server. */
export function soakApplication(layer: ChannelLayer, logger: Logger, leak: Leak | undefined): App {
  const options = { layer, logger };
  const application = ProtocolTypeRouter({
    http: URLRouter([
      path("events/<int:room>/", asApp(Events, options)),
      path(
        "echo/",
        fetchApp(async (request) => new Response(await request.text())),
      ),
      path(
        "broken/",
        fetchApp(() => {
          throw new PlannedFailure("in a handler of requests");
        }),
      ),
    ]),
    websocket: URLRouter([
      path("ws/rooms/<int:room>/", asApp(Room, options)),
      path("ws/slow/<int:room>/", asApp(SlowRoom, options)),
      path("ws/broken/", asApp(BrokenRoom, options)),
      path("ws/denied/", () => {
        throw new DenyConnection({ status: 403 });
      }),
    ]),
  });
  return leak === undefined ? application : leaking(application, leak, layer);
}

/** Numbers in an array that is kept with each scope, so that a run of seconds shows what one of hours would. */
const ballast = 8_000;

function leaking(application: App, leak: Leak, layer: ChannelLayer): App {
  const kept: unknown[] = [];
  return async (scope, receive, send) => {
    if (leak === "scopes") kept.push(scope, Array.from({ length: ballast }, Math.random));
    else await layer.groupAdd("forgotten", (await layer.open()).name);
    await application(scope, receive, send);
  };
}
