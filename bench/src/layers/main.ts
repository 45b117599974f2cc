/** `npm run check:layers`: what three processes say to each other through a layer, and whether all of it arrives. */
import { runCheck } from "../checks/run-check.js";
import { readArguments, usage } from "./arguments.js";
import { checkLayer } from "./check-layer.js";
import { figuresOf, sentencesOf } from "./report.js";
import { judge } from "./verdict.js";

process.exitCode = await runCheck(
  {
    usage,
    readArguments,
    refuse: ({ kill, freeze }) =>
      kill || freeze ? "--kill and --freeze are for a server that is started here: unset REDIS_URL." : undefined,
    run: async (layer, options) => {
      const course = await checkLayer(layer, options);
      const faults = judge(course);
      return { faults, sentences: sentencesOf(course, faults), figures: figuresOf(course, faults) };
    },
  },
  process.argv.slice(2),
);
