import { transportContract } from "@sluice/testing/contract";
import { serve } from "../src/serve.js";

transportContract({
  name: "embed-bun",
  serve,
  lacks: {
    pipelines: "Bun ends the connection when a request comes before the response to the one before it",
    servesHalfClosed: "Bun takes the end of a client's sending for the end of the connection",
    keepsHeaderLines: "Bun has the headers as the fetch standard does: sorted, one line per name",
    keepsTarget: "Bun percent-encodes the bytes of a target that its URL would not have",
    readsThousandHeaders: "Bun's parser takes fewer than 200 header lines",
    waitsForWholeBodies: "Bun does not tell when a body that it was given in one piece has left",
    announcesLength: "Bun sends every stream in chunks",
    sendsHeadAlone: "Bun sends the head of a response with the first byte of its body",
    servesTls: "the example does not serve TLS",
    listensOnUnixSockets: "the example does not listen on Unix sockets",
  },
});
