import { InMemoryChannelLayer } from "@sluice/core";
import { channelLayerContract } from "./channel-layer-contract.js";

channelLayerContract({
  name: "InMemoryChannelLayer",
  open: async (settings) => ({ layer: new InMemoryChannelLayer(settings) }),
  withoutPeers: "it is the layer of one process",
});
