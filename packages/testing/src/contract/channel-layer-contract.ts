import type { ChannelLayer } from "@sluice/core";
import { afterEach, describe } from "vitest";
import { FakeClock } from "../fake-clock.js";
import { channels } from "./channel-layer/channel.js";
import { ends } from "./channel-layer/end.js";
import { groups } from "./channel-layer/group.js";
import type { ChannelLayerContract, Open } from "./channel-layer/harness.js";
import { layerMessages } from "./channel-layer/message.js";
import { names } from "./channel-layer/name.js";
import { pipes } from "./channel-layer/pipe.js";
import { time } from "./channel-layer/time.js";

export type { ChannelLayerContract, ChannelLayerSettings } from "./channel-layer/harness.js";

/** Tests what `ChannelLayer` promises. */
export function channelLayerContract(contract: ChannelLayerContract): void {
  describe(`${contract.name} as a channel layer`, () => {
    const clock = new FakeClock();
    const layers: ChannelLayer[] = [];
    const open: Open = async (settings = {}) => {
      const layer = await contract.open({ clock, ...settings });
      layers.push(layer);
      return layer;
    };
    afterEach(async () => {
      await Promise.all(layers.splice(0).map((layer) => layer.close()));
    });

    describe("a channel", () => channels(open));
    describe("a group", () => groups(open));
    describe("a message", () => layerMessages(open));
    describe("a name", () => names(open));
    describe("a piped channel", () => pipes(open));
    describe("an end", () => ends(open));
    describe.skipIf(contract.withoutClock !== undefined)(
      `time${contract.withoutClock === undefined ? "" : ` (skipped: ${contract.withoutClock})`}`,
      () => time(open, clock),
    );
  });
}
