#!/usr/bin/env node
import { run } from "./cli/program.js";
import { leaveCluster } from "./workers/serving-worker.js";

process.exitCode = await run(process.argv.slice(2));
leaveCluster();
