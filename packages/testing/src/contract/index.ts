export {
  type ChannelLayerContract,
  type ChannelLayerSettings,
  channelLayerContract,
} from "./channel-layer-contract.js";
