import { BrokeredChannelLayer } from "@sluice/core";
import { MemoryBrokerServer } from "../memory-broker.js";
import { channelLayerContract } from "./channel-layer-contract.js";

channelLayerContract({
  name: "BrokeredChannelLayer",
  open: async (settings) => {
    const server = new MemoryBrokerServer(() => settings.clock.now());
    const open = () => new BrokeredChannelLayer(server.broker(), settings);
    return { layer: open(), peer: async () => open() };
  },
});
