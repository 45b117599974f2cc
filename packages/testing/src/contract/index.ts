export {
  type ChannelLayerContract,
  type ChannelLayerSettings,
  type ChannelLayerUnderTest,
  channelLayerContract,
} from "./channel-layer-contract.js";
export { type SessionsUnderTest, sessionStoreContract } from "./session-store-contract.js";
export { type StoreContract, type StoresUnderTest, storeContract } from "./store-contract.js";
export { type TokenVerifierContract, tokenVerifierContract } from "./token-verifier-contract.js";
export { type FuzzOptions, transportFuzz } from "./transport/fuzz.js";
export type { FuzzCapability, FuzzContract } from "./transport/fuzz-contract.js";
export { tlsFiles } from "./transport/tls-files.js";
export {
  type Capability,
  type Serve,
  type TransportContract,
  type TransportOptions,
  type TransportServer,
  transportContract,
} from "./transport-contract.js";
