export { loadUWebSockets } from "./load-native.js";
export type { UWebSockets } from "./native.js";
export type { ServeOptions } from "./options.js";
export { serve } from "./serve.js";
