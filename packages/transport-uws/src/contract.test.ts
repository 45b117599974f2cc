import { transportContract } from "@sluice/testing/contract";
import { beforeEach } from "vitest";
import { skipWithoutBinary } from "../test/skip-without-binary.js";
import { serve } from "./serve.js";

beforeEach(skipWithoutBinary);

transportContract({
  name: "transport-uws",
  serve,
  lacks: {
    checksMask: "uWebSockets.js does not look at the mask bit",
    pausesWebSockets: "uWebSockets.js cannot stop reading from a WebSocket",
    reportsEveryCloseCode: "uWebSockets.js takes 1012 to 1014 and 3000 to 3999 for invalid and reports 1006",
    pipelines: "uWebSockets.js ends the connection when a request comes before the response to the one before it",
    servesHalfClosed: "uWebSockets.js takes the end of a client's sending for the end of the connection",
    readsLatin1: "uWebSockets.js cuts such bytes off the ends of a value and decodes the others as UTF-8",
    readsChunkExtensions: "uWebSockets.js answers a chunk extension with 400",
    readsThousandHeaders: "uWebSockets.js is compiled for 100 header lines",
    refusesControlBytes: "uWebSockets.js leaves such a request unanswered and cuts it after ten seconds",
    sendsHeadAlone: "uWebSockets.js ends the head of a response with the first byte of its body",
  },
});
