import { HttpCommunicator, WebsocketCommunicator } from "@sluice/testing";
import { expect, it } from "vitest";
import { describeRedis, freshPrefix, redisUrl } from "../../../test/redis.js";
import { openLayer } from "../src/open-layer.js";
import { announce, createApi, createNews } from "../src/outside.js";
import { patience } from "./describe-layers.js";

describeRedis(() => {
  it("an HTTP handler and a script reach the consumers of every process", async () => {
    const prefix = freshPrefix();
    const layers = [await openLayer(redisUrl(), { prefix }), await openLayer(redisUrl(), { prefix })] as const;
    const [here, there] = layers;
    try {
      await using one = new WebsocketCommunicator(createNews(here), "/", patience);
      await using two = new WebsocketCommunicator(createNews(there), "/", patience);
      for (const client of [one, two]) await client.connect();
      const post = new HttpCommunicator(createApi(here), "POST", "/news", { body: "from HTTP" });
      expect(await post.getResponse()).toMatchObject({ status: 202 });
      await announce("from a script", { url: redisUrl(), prefix });
      for (const client of [one, two]) {
        expect(await client.receiveJsonFrom()).toEqual({ title: "from HTTP" });
        expect(await client.receiveJsonFrom()).toEqual({ title: "from a script" });
      }
    } finally {
      for (const layer of layers) await layer.close();
    }
  });
});
