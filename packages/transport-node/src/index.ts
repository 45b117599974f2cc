export { type AttachedApplication, type AttachOptions, attach, type HostServer } from "./attach.js";
export { serve } from "./serve.js";
