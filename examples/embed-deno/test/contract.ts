import { transportContract } from "@sluice/testing/contract";
import { serve } from "../src/serve.js";

transportContract({
  name: "embed-deno",
  serve,
  lacks: {
    checksMask: "Deno does not look at the mask bit",
    pausesWebSockets: "Deno cannot stop reading from a WebSocket",
    reportsEveryCloseCode: "Deno takes 1014 for invalid",
    servesHalfClosed: "Deno takes the end of a client's sending for the end of the connection",
    keepsHeaderLines: "Deno has the headers as the fetch standard does: sorted, one line per name",
    readsThousandHeaders: "Deno's parser takes 128 header lines at most",
    answersManyHeaders: "Deno's parser answers more than 128 header lines with 400",
    outlivesUnreadBody: "Deno ends a connection whose request body was not read before the response",
    endsConnections: "Deno leaves a connection open after a response with Connection: close",
    seesIntoMessages: "Deno counts a message as waiting until all of it has been taken",
    waitsForWholeBodies: "Deno does not tell when a body that it was given in one piece has left",
    waitsForStreams: "Deno reads a stream ahead of the client that it is for",
    compresses: "Deno has no per-message-deflate",
    servesTls: "the example does not serve TLS",
    listensOnUnixSockets: "the example does not listen on Unix sockets",
  },
});
