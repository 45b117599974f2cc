import type { ChannelLayer } from "@sluice/core";
import { afterEach, describe } from "vitest";
import { FakeClock } from "../fake-clock.js";
import { betweenProcesses } from "./channel-layer/between-processes.js";
import { channels } from "./channel-layer/channel.js";
import { ends } from "./channel-layer/end.js";
import { gaps } from "./channel-layer/gap.js";
import { groups } from "./channel-layer/group.js";
import type { ChannelLayerContract, Open, OpenSeveral } from "./channel-layer/harness.js";
import { layerMessages } from "./channel-layer/message.js";
import { names } from "./channel-layer/name.js";
import { namedChannels } from "./channel-layer/named-channel.js";
import { pipes } from "./channel-layer/pipe.js";
import { time } from "./channel-layer/time.js";

export type { ChannelLayerContract, ChannelLayerSettings, ChannelLayerUnderTest } from "./channel-layer/harness.js";

/** Tests what `ChannelLayer` promises. */
export function channelLayerContract(contract: ChannelLayerContract): void {
  describe(`${contract.name} as a channel layer`, () => {
    const clock = new FakeClock();
    const layers: ChannelLayer[] = [];
    const openSeveral: OpenSeveral = async (count, settings = {}) => {
      const { layer, peer } = await contract.open({ clock, ...settings });
      const opened = [layer];
      layers.push(layer);
      while (opened.length < count) {
        if (peer === undefined) throw new Error(`expected ${contract.name} to have peers, or a reason why it has none`);
        const another = await peer();
        opened.push(another);
        layers.push(another);
      }
      return opened;
    };
    const open: Open = async (settings) => {
      const [layer] = await openSeveral(1, settings);
      if (layer === undefined) throw new Error("expected a layer");
      return layer;
    };
    const unless = (reason: string | undefined, what: string, tests: () => void): void => {
      describe.skipIf(reason !== undefined)(`${what}${reason === undefined ? "" : ` (skipped: ${reason})`}`, tests);
    };
    afterEach(async () => {
      await Promise.all(layers.splice(0).map((layer) => layer.close()));
    });

    describe("a channel", () => channels(open));
    describe("a group", () => groups(open));
    describe("a message", () => layerMessages(open));
    describe("a name", () => names(open));
    describe("a piped channel", () => pipes(open));
    describe("a gap", () => gaps(open));
    describe("a named channel", () => namedChannels(open));
    describe("an end", () => ends(open));
    unless(contract.withoutClock, "time", () => time(open, clock));
    unless(contract.withoutPeers, "between processes", () => betweenProcesses(openSeveral));
  });
}
