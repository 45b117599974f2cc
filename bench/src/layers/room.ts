import { type LayerGap, type MaybePromise, WebsocketConsumer } from "@sluice/core";
import { fromWallClock, now } from "../measure/now.js";
import { say, type Told, welcome } from "./words.js";

export interface RoomRoute {
  readonly urlRoute: { readonly kwargs: { readonly group: number; readonly socket: number } };
}

export interface StuckRoute {
  readonly urlRoute: { readonly kwargs: { readonly groups: number } };
}

export interface RoomEvents {
  "chat.message": { readonly sender: number; readonly number: number; readonly at: number };
  "layer.gap": Omit<LayerGap, "type">;
}

function groupOf(group: number): string {
  return `room.${group}`;
}

/** Says to its group what its client says, and tells its client everything that the layer tells it. */
export class Room extends WebsocketConsumer<RoomRoute, RoomEvents> {
  static readonly handlers = ["chat.message", "layer.gap"] as const;
  readonly room: string = groupOf(this.scope.urlRoute.kwargs.group);
  override readonly groups: readonly string[] = [this.room];

  override async connect(): Promise<void> {
    await this.accept();
    await this.send(welcome + this.channelName);
  }

  /** Does not wait for one publish to end before it begins the next: the order has to be kept all the same. */
  override receive(data: string | Uint8Array): MaybePromise<void> {
    if (typeof data !== "string" || !data.startsWith(say)) return this.close(1003);
    void this.#publish(Number(data.slice(say.length)));
  }

  chatMessage({ sender, number, at }: RoomEvents["chat.message"]): MaybePromise<void> {
    return this.#tell({ kind: "heard", sender, number, at });
  }

  layerGap({ reason, since }: RoomEvents["layer.gap"]): MaybePromise<void> {
    return this.#tell({ kind: "gap", reason, since: fromWallClock(since) });
  }

  async #publish(number: number): Promise<void> {
    const sender = this.scope.urlRoute.kwargs.socket;
    const began = now();
    const done = await this.channelLayer.groupSend(this.room, { type: "chat.message", sender, number, at: began }).then(
      () => true,
      () => false,
    );
    await this.#tell({ kind: "answered", number, done, began, ended: now() });
  }

  #tell(told: Told): MaybePromise<void> {
    return this.send(JSON.stringify(told));
  }
}

/** A member of every group that is never done with the first message it gets. */
export class Stuck extends WebsocketConsumer<StuckRoute, Pick<RoomEvents, "chat.message">> {
  static readonly handlers = ["chat.message"] as const;
  override readonly groups: readonly string[] = Array.from({ length: this.scope.urlRoute.kwargs.groups }, (_, group) =>
    groupOf(group),
  );

  override async connect(): Promise<void> {
    await this.accept();
    await this.send(welcome + this.channelName);
  }

  chatMessage(): Promise<void> {
    return new Promise(() => {});
  }
}
