export * from "./application-communicator.js";
export * from "./fake-clock.js";
export * from "./http-communicator.js";
export type { InjectedScope } from "./injected-scope.js";
export type { LiveAddress } from "./live/live-address.js";
export { type LiveServer, type LiveServerOptions, liveServer } from "./live/live-server.js";
export type { LiveWebSocket, LiveWebSocketOptions } from "./live/live-websocket.js";
export { MemoryBrokerServer } from "./memory-broker.js";
export { MemorySessionStore } from "./memory-session-store.js";
export type { Direction, Fault, FaultOptions } from "./network/fault-plan.js";
export { type FaultyNetwork, type FaultyNetworkOptions, faultyNetwork } from "./network/faulty-network.js";
export * from "./recording-logger.js";
export type { RequestOptions } from "./request.js";
export * from "./scope.js";
export { WebsocketCommunicator, type WebsocketCommunicatorOptions } from "./websocket-communicator.js";
export {
  type CloseFrame,
  type ConversationOptions,
  type Handshake,
  WebsocketConversation,
} from "./websocket-conversation.js";
