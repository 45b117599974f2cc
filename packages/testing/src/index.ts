export * from "./fake-clock.js";
export * from "./recording-logger.js";
