import { asApp, type ChannelLayer, JsonWebsocketConsumer, type LayerGap, LayerUnavailable } from "@sluice/core";

export type Message = { readonly id: string; readonly text: string };
export interface History {
  append(text: string): Promise<Message>;
  recent(): Promise<readonly Message[]>;
}
type Events = { "room.message": { message: Message }; "layer.gap": Omit<LayerGap, "type"> };

class Room extends JsonWebsocketConsumer<{ history: History }, Events> {
  static readonly handlers = ["room.message", "layer.gap"] as const;
  override readonly groups = ["room"];
  readonly #untold: Message[] = [];

  override async connect() {
    await this.accept();
    await this.sendJson({ history: await this.scope.history.recent() });
  }

  override async receiveJson(text: unknown) {
    this.#untold.push(await this.scope.history.append(String(text)));
    await this.#tell();
  }

  roomMessage({ message }: Events["room.message"]) {
    return this.sendJson({ message });
  }

  async layerGap() {
    await this.#tell();
    await this.sendJson({ history: await this.scope.history.recent() });
  }

  async #tell() {
    try {
      for (let message = this.#untold[0]; message !== undefined; message = this.#untold[0]) {
        await this.channelLayer.groupSend("room", { type: "room.message", message });
        this.#untold.shift();
      }
    } catch (error) {
      if (!(error instanceof LayerUnavailable)) throw error; // told after the gap, or with the next message
    }
  }
}

export const createRoom = (layer: ChannelLayer) => asApp(Room, { layer });
