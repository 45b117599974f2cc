/** What a driver may be unable to do, in words that a table can show. */
export const capabilities = {
  checksMask: "fails a connection whose client does not mask its frames",
  pausesWebSockets: "stops reading from a WebSocket whose inbox is full, instead of closing it with 1013",
  reportsEveryCloseCode: "tells the application every close code that a client may send",
  pipelines: "keeps requests that come before the response to the one before them",
  servesHalfClosed: "answers a client that has closed its sending half",
  readsLatin1: "hands over the bytes of header values beyond ASCII, as Latin-1",
  readsChunkExtensions: "ignores extensions of the chunks of a request body (RFC 9112 7.1.1)",
  readsThousandHeaders: "takes a request of 1,000 header lines where the limits allow it",
  refusesControlBytes: "answers header lines with control bytes with 400",
  answersManyHeaders: "answers more header lines than the limit with 431, however many",
  keepsHeaderLines: "hands over header lines in the order of the wire, repeated ones one by one",
  keepsTarget: "sees bytes beyond ASCII in the target of a request, and answers them with 400",
  outlivesUnreadBody: "keeps a connection alive although the application did not read the body of a request",
  endsConnections: "ends a connection where the application answers with Connection: close",
  seesIntoMessages: "sees a client take some of a long message, and leaves it alone for as long as it does",
  waitsForWholeBodies: "waits at its end until clients have a long response that was sent in one piece",
  waitsForStreams: "waits at its end until clients have a long response that was sent in pieces",
  announcesLength: "sends a stream with the Content-Length that the application announces",
  sendsHeadAlone: "sends the head of a streamed response before its first byte of body",
  servesTls: "serves TLS from PEM files, and names those that are of no use",
  listensOnUnixSockets: "listens on a Unix socket, and replaces one that a dead server left behind",
  sharesPorts: "lets several servers listen on one port",
  saysWhyItCannotListen: "rejects with the system's reason where it cannot listen",
  compresses: "offers per-message-deflate (RFC 7692), with a cap on what a message inflates to",
} as const;

/** A test that needs one is skipped where a transport lacks it, for the reason that it gives. */
export type Capability = keyof typeof capabilities;

/** What a test tells of the transport it ran on: the source of the table in the docs. */
export interface CapabilityReport {
  readonly transport: string;
  readonly capability: string;
  /** What the capability is, in one line. */
  readonly words: string;
  /** Why the transport lacks it; left out where it does not. */
  readonly reason?: string;
}

declare module "vitest" {
  interface TaskMeta {
    transportCapability?: CapabilityReport;
  }
}
