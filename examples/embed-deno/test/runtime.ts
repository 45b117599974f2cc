import { fileURLToPath } from "node:url";
import type { Runtime } from "../../../test/in-runtime/contract-in.js";

const directory = fileURLToPath(new URL("..", import.meta.url));

export const deno: Runtime = {
  name: "Deno",
  binary: `${directory}node_modules/deno/deno`,
  run: ["run", "-A"],
  directory,
};
