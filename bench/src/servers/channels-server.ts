import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type PythonServer, python } from "./channels.js";
import { present } from "./present.js";
import { otherProcess } from "./process-figures.js";
import { site } from "./site.js";

/** Beside the sources of TypeScript: nothing would bring it to where these are built. */
const serve = fileURLToPath(new URL("../../channels/serve.py", import.meta.url));

/** Makes Django Channels take part, in a process of Python's that ends with this one. */
export async function presentChannels(server: PythonServer): Promise<void> {
  const child = spawn(python, [serve, server], {
    env: {
      ...process.env,
      BENCH_ALLOWED_HOST: site.allowedHost,
      BENCH_ISSUER: site.issuer,
      BENCH_AUDIENCE: site.audience,
      PYTHONDONTWRITEBYTECODE: "1",
    },
    // It ends when its input does, which this process never writes to.
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.once("close", (code, signal) => {
    process.stderr.write(`Python ended with ${signal ?? `code ${code}`}\n`);
    process.exit(1);
  });
  await once(child, "spawn");
  for await (const line of createInterface({ input: child.stdout })) {
    if (child.pid !== undefined) present(Number(line), otherProcess(child.pid));
    break;
  }
}
