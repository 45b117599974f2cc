import { fileURLToPath } from "node:url";
import type { Runtime } from "../../../test/in-runtime/contract-in.js";

const directory = fileURLToPath(new URL("..", import.meta.url));

export const bun: Runtime = {
  name: "Bun",
  binary: `${directory}node_modules/bun/bin/bun.exe`,
  run: ["--bun"],
  directory,
};
