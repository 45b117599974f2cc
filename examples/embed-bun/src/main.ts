/** Sluice on Bun. After `npm run build`, in this folder: `PORT=8000 npx bun src/main.ts` */
import { application } from "./application.js";
import type { BunRuntime } from "./native.js";
import { serve } from "./serve.js";

declare const Bun: BunRuntime;

const server = await serve(application, { port: Number(Bun.env.PORT ?? 8000), logger: console });
console.log(server.url);
