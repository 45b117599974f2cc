/** Sluice on Deno. After `npm run build`, in this folder: `PORT=8000 npx deno run -A src/main.ts` */
import { application } from "./application.js";
import type { DenoRuntime } from "./native.js";
import { serve } from "./serve.js";

declare const Deno: DenoRuntime;

const server = await serve(application, { port: Number(Deno.env.get("PORT") ?? 8000), logger: console });
console.log(server.url);
