import { describe } from "vitest";
import { backPressure } from "./transport/back-pressure.js";
import { closing } from "./transport/close.js";
import { compression } from "./transport/compression.js";
import { faults } from "./transport/faults.js";
import { acceptedHandshakes } from "./transport/handshake-accept.js";
import { refusedHandshakes } from "./transport/handshake-refuse.js";
import type { TransportContract } from "./transport/harness.js";
import { httpRequests } from "./transport/http-request.js";
import { httpResponses } from "./transport/http-response.js";
import { httpStreams } from "./transport/http-stream.js";
import { waitingClients } from "./transport/http-waiting.js";
import { lifecycle } from "./transport/lifecycle.js";
import { limits } from "./transport/limits.js";
import { listening } from "./transport/listening.js";
import { messages } from "./transport/messages.js";
import { proxies } from "./transport/proxies.js";

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
    describe("compression", () => compression(contract));
    describe("HTTP requests", () => httpRequests(contract));
    describe("HTTP responses", () => httpResponses(contract));
    describe("streamed HTTP responses", () => httpStreams(contract));
    describe("HTTP clients that wait", () => waitingClients(contract));
    describe("lifecycle", () => lifecycle(contract));
    describe("listening", () => listening(contract));
    describe("faults", () => faults(contract));
    describe("limits", () => limits(contract));
    describe("proxies", () => proxies(contract));
  });
}
