/** `npm run check:revoke`: how soon a token that is revoked at one process has no socket left at any. */
import { runCheck } from "../checks/run-check.js";
import { readArguments, usage } from "./arguments.js";
import { checkRevoke } from "./check-revoke.js";
import { figuresOf, sentencesOf } from "./report.js";
import { judge } from "./verdict.js";

process.exitCode = await runCheck(
  {
    usage,
    readArguments,
    run: async (layer, options) => {
      const course = await checkRevoke(layer, options);
      const faults = judge(course);
      return { faults, sentences: sentencesOf(course, faults), figures: figuresOf(course, faults) };
    },
  },
  process.argv.slice(2),
);
