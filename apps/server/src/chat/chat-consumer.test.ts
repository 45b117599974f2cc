import {
  asApp,
  type ChannelLayer,
  InMemoryChannelLayer,
  type LayerMessage,
  LayerUnavailable,
  type MessageRecord,
} from "@sluice/core";
import { WebsocketCommunicator } from "@sluice/testing";
import { expect, it } from "vitest";
import type { Services } from "../services.js";
import { ChatConsumer } from "./chat-consumer.js";

const ada = { id: "1", username: "ada", name: "Ada", isAuthenticated: true as const };

/** Stores what is said, and hands it out to nobody who comes later. */
function messageStore() {
  let stored = 0;
  return {
    append: async ({ room, text }: { room: string; text: string }): Promise<MessageRecord> =>
      ({ id: `${stored++}`, room, sender: ada, text, sentAt: 0 }) as MessageRecord,
    recent: async () => [],
  };
}

/** Does not take the first messages to a group, without having been away. */
class HesitantLayer extends InMemoryChannelLayer {
  #refusals: number;

  constructor(refusals: number) {
    super();
    this.#refusals = refusals;
  }

  override async groupSend(group: string, message: LayerMessage) {
    if (this.#refusals-- > 0) throw new LayerUnavailable("the channel layer did not answer in time");
    return super.groupSend(group, message);
  }
}

function connect(layer: ChannelLayer) {
  const chat = asApp(ChatConsumer, { layer });
  return new WebsocketCommunicator(chat, "/ws/chat/", {
    scope: {
      user: ada,
      services: { messages: messageStore() } as Partial<Services> as Services,
      urlRoute: { kwargs: { room: "pubchat" } },
      presence: { events: "presence", members: () => [], count: () => 0 },
    },
  });
}

it("shows with the next message what the layer did not take, in order and once", async () => {
  await using client = connect(new HesitantLayer(2));
  await client.connect();
  for (const message of ["one", "two", "three"]) client.sendJsonTo({ type: "message", data: { message } });
  const said = [];
  for (let count = 0; count < 3; count++) {
    said.push(((await client.receiveJsonFrom()) as { data: { message: string } }).data.message);
  }
  expect(said).toEqual(["one", "two", "three"]);
  expect(await client.receiveNothing()).toBe(true);
});
