import { defineConfig } from "vitest/config";
import { LineReporter } from "./line-reporter.js";

const conditions = ["@sluice/source", "node", "import", "module", "default"];

/** For a run inside Bun or Deno, which `contractIn` starts. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/contract.ts"],
    pool: "forks",
    reporters: ["default", new LineReporter(process.env.TEST_LINES)],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
