import { type ChannelLayer, InMemoryChannelLayer } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { freePort } from "../../../test/redis-process.js";
import { openLayer } from "../src/open-layer.js";
import { describeLayers } from "./describe-layers.js";

const hello = { type: "hello" };

it("is a single process without a URL", async () => {
  expect(await openLayer(undefined)).toBeInstanceOf(InMemoryChannelLayer);
});

it.each(["redis", "postgres"])("rejects where there is no %s", async (scheme) => {
  const url = `${scheme}://127.0.0.1:${await freePort()}/nothing`;
  await expect(openLayer(url)).rejects.toMatchObject({ code: "layer_unavailable" });
});

// What the text promises, of all processes together.
describeLayers((join) => {
  let warned: object[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warned.push(fields) };
  afterEach(() => {
    warned = [];
  });

  async function member(layer: ChannelLayer, group: string) {
    const channel = await layer.open();
    await layer.groupAdd(group, channel.name);
    return channel;
  }

  it("resolves a groupSend with what the own process has", async () => {
    const [here, there] = [await join(), await join()];
    const [one, two] = [await member(here, "room"), await member(there, "room")];
    const script = await join();
    expect(await here.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
    expect(await script.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 0 });
    for (const channel of [one, one, two, two]) expect(await channel.receive()).toEqual(hello);
  });

  it("drops what a member cannot hold, counts it here and logs it elsewhere", async () => {
    const [here, there] = [await join({ capacity: 1 }), await join({ capacity: 1, logger })];
    await member(here, "room");
    await member(there, "room");
    expect(await here.groupSend("room", hello)).toEqual({ delivered: 1, dropped: 0 });
    expect(await here.groupSend("room", hello)).toEqual({ delivered: 0, dropped: 1 });
    await expect.poll(() => warned, { timeout: 15_000 }).toEqual([{ dropped: 1 }]);
  });

  it("rejects a send where the channel is full, also another process's, and drops it where it has gone", async () => {
    const [here, there] = [await join(), await join({ capacity: 1 })];
    const { name, close } = await there
      .open()
      .then((channel) => ({ name: channel.name, close: () => channel.close() }));
    await here.send(name, hello);
    await expect(here.send(name, hello)).rejects.toMatchObject({ code: "channel_full" });
    await close();
    await here.send(name, hello);
  });

  it("refuses what JSON cannot carry, and a named channel as a member", async () => {
    const layer = await join();
    await expect(layer.groupSend("room", { type: "hello", at: new Date() })).rejects.toBeInstanceOf(TypeError);
    await expect(layer.groupAdd("room", "thumbnails")).rejects.toBeInstanceOf(TypeError);
  });
});
