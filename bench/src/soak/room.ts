import { type MaybePromise, WebsocketConsumer } from "@sluice/core";
import { PlannedFailure } from "./failures.js";
import { type Crash, floodSize, isCrash, verbs, welcome } from "./words.js";

export interface RoomRoute {
  readonly urlRoute: { readonly kwargs: { readonly room: number } };
}

export interface RoomEvents {
  "chat.message": { readonly text: string };
  "chat.crash": object;
}

export function groupOf(room: number): string {
  return `room.${room}`;
}

const block = new Uint8Array(floodSize.bytesPerMessage);

/** A room to chat in, whose members can also make it fail in every place there is. */
export class Room extends WebsocketConsumer<RoomRoute, RoomEvents> {
  static readonly handlers = ["chat.message", "chat.crash"] as const;
  readonly room: string = groupOf(this.scope.urlRoute.kwargs.room);
  override readonly groups: readonly string[] = [this.room];
  #failsAtTheEnd = false;

  override async connect(): Promise<void> {
    await this.accept();
    await this.send(welcome);
  }

  override receive(data: string | Uint8Array): MaybePromise<void> {
    if (typeof data !== "string") return this.close(1003);
    if (data.startsWith(verbs.say)) return this.#say(data.slice(verbs.say.length));
    if (data.startsWith(verbs.flood)) return this.#flood();
    const place = data.slice(verbs.crash.length);
    return isCrash(place) ? this.#crash(place) : this.close(1008);
  }

  chatMessage({ text }: RoomEvents["chat.message"]): MaybePromise<void> {
    return this.send(text);
  }

  chatCrash(): never {
    throw new PlannedFailure("in a handler of the layer's messages");
  }

  override disconnect(): void {
    if (this.#failsAtTheEnd) throw new PlannedFailure("in disconnect");
  }

  async #say(text: string): Promise<void> {
    await this.channelLayer.groupSend(this.room, { type: "chat.message", text });
  }

  async #flood(): Promise<void> {
    for (let left = floodSize.messages; left > 0; left--) await this.send(block);
  }

  async #crash(place: Crash): Promise<void> {
    if (place === "receive") throw new PlannedFailure("in receive");
    if (place === "handler") await this.channelLayer.send(this.channelName, { type: "chat.crash" });
    else this.#failsAtTheEnd = true;
  }
}

/** Milliseconds that a slow room takes to accept. */
const slowness = 50;

/** Accepts so late that a client may have gone. */
export class SlowRoom extends Room {
  override async connect(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, slowness));
    await super.connect();
  }
}

/** Has joined its room when it fails, and has not accepted. */
export class BrokenRoom extends WebsocketConsumer<{}, Pick<RoomEvents, "chat.message">> {
  static readonly handlers = ["chat.message"] as const;
  override readonly groups = ["room.broken"];

  override connect(): never {
    throw new PlannedFailure("in connect");
  }

  chatMessage(): void {}
}
