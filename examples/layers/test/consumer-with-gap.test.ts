import { WebsocketCommunicator } from "@sluice/testing";
import { expect, it } from "vitest";
import { describeOwnRedis, OwnRedis } from "../../../test/redis.js";
import { createRoom, type History, type Message } from "../src/consumer-with-gap.js";
import { openLayer } from "../src/open-layer.js";
import { createNews } from "../src/outside.js";
import { patience } from "./describe-layers.js";

class FakeHistory implements History {
  readonly messages: Message[] = [];

  async append(text: string): Promise<Message> {
    const message = { id: String(this.messages.length + 1), text };
    this.messages.push(message);
    return message;
  }

  async recent(): Promise<readonly Message[]> {
    return [...this.messages];
  }
}

describeOwnRedis("a room whose Redis goes away", () => {
  it("shows what was said meanwhile when it is back", async () => {
    await using redis = await OwnRedis.start();
    const history = new FakeHistory();
    const layers = [await openLayer(redis.url), await openLayer(redis.url)] as const;
    try {
      const [here, there] = layers.map(createRoom) as [ReturnType<typeof createRoom>, ReturnType<typeof createRoom>];
      const options = { scope: { history }, ...patience };
      await using one = new WebsocketCommunicator(here, "/", options);
      await using two = new WebsocketCommunicator(there, "/", options);
      for (const client of [one, two]) {
        await client.connect();
        expect(await client.receiveJsonFrom()).toEqual({ history: [] });
      }
      one.sendJsonTo("before");
      const before = { id: "1", text: "before" };
      for (const client of [one, two]) expect(await client.receiveJsonFrom()).toEqual({ message: before });

      await redis.kill();
      one.sendJsonTo("meanwhile");
      await expect.poll(() => history.messages.length, patience).toBe(2);
      await using stranger = new WebsocketCommunicator(createNews(layers[0]), "/", { expectErrors: true });
      expect(await stranger.connect()).toMatchObject({ connected: false, status: 503 });

      await redis.startAgain();
      const both = [before, { id: "2", text: "meanwhile" }];
      expect(await one.receiveJsonFrom()).toEqual({ history: both });
      expect(await one.receiveJsonFrom()).toEqual({ message: both[1] });
      // Its process may have been back before the other one, and have been told.
      let shown = await two.receiveJsonFrom();
      if (shown !== null && typeof shown === "object" && "message" in shown) shown = await two.receiveJsonFrom();
      expect(shown).toEqual({ history: both });
    } finally {
      for (const layer of layers) await layer.close();
    }
  });
});
