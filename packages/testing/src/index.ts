export * from "./application-communicator.js";
export * from "./fake-clock.js";
export * from "./http-communicator.js";
export * from "./recording-logger.js";
export type { RequestOptions } from "./request.js";
export * from "./scope.js";
export {
  type CloseFrame,
  type Handshake,
  WebsocketCommunicator,
  type WebsocketCommunicatorOptions,
} from "./websocket-communicator.js";
