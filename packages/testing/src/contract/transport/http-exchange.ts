import type { App, SendEvent } from "@sluice/core";
import { expect } from "vitest";
import { realIo, start, type TransportContract } from "./harness.js";
import { RawClient, type RawResponse } from "./raw-client.js";
import { request } from "./request-text.js";

export type Headers = NonNullable<Extract<SendEvent<"http">, { type: "http.response.start" }>["headers"]>;

/** Answers with the pieces: one is a response in one go, more are a stream. */
export function sending(status: number, headers: Headers, ...pieces: (string | Uint8Array)[]): App<"http"> {
  return async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status, headers });
    for (const [index, body] of pieces.entries()) {
      if (index > 0) await realIo();
      await send({ type: "http.response.body", body, moreBody: index < pieces.length - 1 });
    }
  };
}

/** The answer to a request, and that to a second one on the same connection: it tells whether they keep in step. */
export async function twice(contract: TransportContract, http: App<"http">, method = "GET"): Promise<RawResponse> {
  const { port } = await start(contract, { http });
  const client = await RawClient.send(port, request(method, "/"));
  const response = await client.response(method);
  client.write(request(method, "/"));
  expect((await client.response(method)).status).toBe(response.status);
  return response;
}

/** Enough turns of the server's event loop for it to have read whatever it would read. */
export async function turns(port: number): Promise<void> {
  const client = await RawClient.connect(port);
  for (let index = 0; index < 200; index += 1) {
    // Refused before an application is asked.
    client.write(request("GET", "/%ff"));
    await client.response();
  }
}
