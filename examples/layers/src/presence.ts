import {
  asApp,
  type ChannelLayer,
  JsonWebsocketConsumer,
  type LayerGap,
  type PresenceEvents,
  type PresenceOptions,
  type Present,
  presence,
} from "@sluice/core";

type Events = PresenceEvents & { "layer.gap": Omit<LayerGap, "type"> };

class Lobby extends JsonWebsocketConsumer<Present, Events> {
  static readonly handlers = ["presence.join", "presence.leave", "layer.gap"] as const;
  override readonly groups = [this.scope.presence.events];

  override async connect() {
    await this.accept();
    await this.layerGap();
  }

  layerGap() {
    return this.sendJson({ here: this.scope.presence.members().map(({ username }) => username) });
  }

  presenceJoin({ member }: Events["presence.join"]) {
    return this.sendJson({ joined: member.username });
  }

  presenceLeave({ member }: Events["presence.leave"]) {
    return this.sendJson({ left: member.username });
  }
}

/** One per process. `lobby` stands inside of `TokenAuth`; `here.close()` comes before the layer's. */
export function createLobby(layer: ChannelLayer, options: PresenceOptions = {}) {
  const here = presence(layer, options);
  return { here, lobby: here.in("lobby")(asApp(Lobby, { layer })) };
}
