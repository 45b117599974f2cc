import { describe } from "vitest";
import { backPressure } from "./transport/back-pressure.js";
import { closing } from "./transport/close.js";
import { faults } from "./transport/faults.js";
import { acceptedHandshakes } from "./transport/handshake-accept.js";
import { refusedHandshakes } from "./transport/handshake-refuse.js";
import type { TransportContract } from "./transport/harness.js";
import { httpRequests } from "./transport/http-request.js";
import { httpResponses } from "./transport/http-response.js";
import { httpStreams } from "./transport/http-stream.js";
import { lifecycle } from "./transport/lifecycle.js";
import { messages } from "./transport/messages.js";

export type {
  Capability,
  Serve,
  TransportContract,
  TransportOptions,
  TransportServer,
} from "./transport/harness.js";

/** Tests what a transport promises, on real sockets: the outcomes on the wire, and what the application is told. */
export function transportContract(contract: TransportContract): void {
  describe(`${contract.name} as a transport`, () => {
    describe("accepting", () => acceptedHandshakes(contract));
    describe("refusing", () => refusedHandshakes(contract));
    describe("messages", () => messages(contract));
    describe("back-pressure", () => backPressure(contract));
    describe("closing", () => closing(contract));
    describe("HTTP requests", () => httpRequests(contract));
    describe("HTTP responses", () => httpResponses(contract));
    describe("streamed HTTP responses", () => httpStreams(contract));
    describe("lifecycle", () => lifecycle(contract));
    describe("faults", () => faults(contract));
  });
}
