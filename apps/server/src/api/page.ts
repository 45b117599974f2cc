import { readdirSync, readFileSync } from "node:fs";
import type { Env, Hono } from "hono";

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

const page = new URL("../../page/", import.meta.url);
const scripts = new URL("../../dist/page/", import.meta.url);

/** The chat page and what belongs to it. Read once: it is small and does not change while the server runs. */
export function servePage<Environment extends Env>(api: Hono<Environment>): void {
  const serve = (path: string, file: URL, type: string): void => {
    const content = readFileSync(file, "utf8");
    api.get(path, (context) => context.body(content, 200, { ...headers, "content-type": `${type}; charset=utf-8` }));
  };
  serve("/", new URL("index.html", page), "text/html");
  serve("/page.css", new URL("page.css", page), "text/css");
  for (const name of readdirSync(scripts)) {
    if (name.endsWith(".js")) serve(`/${name}`, new URL(name, scripts), "text/javascript");
  }
}
