export type { UWebSockets } from "./native.js";
export type { ServeOptions, TlsFiles } from "./options.js";
export { type CloseOptions, type Server, serve } from "./serve.js";
