import { transportContract } from "@sluice/testing/contract";
import { canReusePort } from "./options.js";
import { serve } from "./serve.js";

transportContract({
  name: "transport-node",
  serve,
  lacks: {
    servesHalfClosed: "the end of a client's sending is taken for its end: a client that has gone looks the same",
    ...(canReusePort()
      ? {}
      : { sharesPorts: "Node.js shares ports from 22.12 on, before that under node:cluster only" }),
  },
});
