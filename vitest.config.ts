import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { CapabilityReporter } from "./test/capability-reporter.js";

/** Tests run on the sources: the packages' own export condition, before the standard ones. */
const conditions = ["@sluice/source", "node", "import", "module", "default"];

const json: ["json", { outputFile: string }] = ["json", { outputFile: process.env.TEST_REPORT ?? "test-results.json" }];
const capabilities = new CapabilityReporter();

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.ts",
      "bench/src/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
      "examples/testing/src/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    globalSetup: ["test/compile-cache.ts", "test/postgres-server.ts", "test/redis-server.ts"],
    reporters: process.env.CI ? ["default", json, capabilities] : ["default", capabilities],
    // Most of the time tests wait for processes of theirs: with one at a time, two cores would stand idle half of it.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What hangs is found by them; no test is about how long it takes, and a busy machine may take ten times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
