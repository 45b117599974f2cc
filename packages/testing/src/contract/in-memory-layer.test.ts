import { InMemoryChannelLayer } from "@sluice/core";
import { channelLayerContract } from "./channel-layer-contract.js";

channelLayerContract({
  name: "InMemoryChannelLayer",
  open: async (settings) => new InMemoryChannelLayer(settings),
});
