import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import type { App } from "../app.js";
import { ClientDisconnected } from "../errors.js";
import { silentLogger } from "../ports/logger.js";
import { openFetch } from "./fetch-connection.js";
import { fetchHead } from "./fetch-head.js";
import { ProtocolServer } from "./protocol-server.js";

const ends = { client: { host: "192.0.2.1", port: 4000 }, server: { host: "127.0.0.1", port: 8000 } };

function ask(http: App<"http">, request: Request, maxBackpressure = 1024 * 1024): Promise<Response> {
  const app: App = (scope, receive, send) => (http as App)(scope, receive, send);
  const server = new ProtocolServer(app, { logger: silentLogger, limits: { maxInboxBytes: 10 } });
  return openFetch(server, request, fetchHead(request, ends), { maxBackpressure });
}

const sending = (status: number, headers: readonly (readonly [string, string])[], ...pieces: string[]): App<"http"> => {
  return async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status, headers });
    for (const [index, body] of pieces.entries()) {
      await send({ type: "http.response.body", body, moreBody: index < pieces.length - 1 });
    }
  };
};

/** A body whose pieces are asked for one by one. */
function pulled(pieces: number): { readonly body: ReadableStream<Uint8Array>; readonly taken: () => number } {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === pieces) controller.close();
        else controller.enqueue(new Uint8Array(6));
        taken += 1;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => taken };
}

const post = (body: ReadableStream<Uint8Array>, more: RequestInit = {}): Request =>
  new Request("http://test.example/", { method: "POST", body, ...{ duplex: "half" }, ...more });

it("makes the scope of the request", async () => {
  const request = new Request("https://test.example/caf%C3%A9?a=b?c", { method: "PUT", headers: { "x-a": "b" } });
  expect(fetchHead(request, ends)).toEqual({
    method: "PUT",
    rawPath: "/caf%C3%A9",
    queryString: "a=b?c",
    httpVersion: "1.1",
    headers: [["x-a", "b"]],
    secure: true,
    ...ends,
  });
});

it("answers in one piece, and leaves the framing to the runtime", async () => {
  const headers = [
    ["Content-Length", "77"],
    ["Transfer-Encoding", "chunked"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ] as const;
  const response = await ask(sending(201, headers, "hello"), new Request("http://test.example/"));
  expect(response.status).toBe(201);
  expect(response.headers.get("content-length")).toBeNull();
  expect(response.headers.get("transfer-encoding")).toBeNull();
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await response.text()).toBe("hello");
});

it("answers HEAD with the length of what it leaves out", async () => {
  const head = new Request("http://test.example/", { method: "HEAD" });
  for (const [pieces, announced, length] of [
    [["grüße"], "77", "7"],
    [[""], "77", "77"],
    [["some", "more"], "8", "8"],
  ] as const) {
    const response = await ask(sending(200, [["content-length", announced]], ...pieces), head);
    expect(response.headers.get("content-length")).toBe(length);
    expect(response.body).toBeNull();
  }
});

it.each([204, 304])("answers %i without a body, whatever the application sends", async (status) => {
  for (const pieces of [["hello"], ["some", "more"]]) {
    const response = await ask(sending(status, [], ...pieces), new Request("http://test.example/"));
    expect(response.status).toBe(status);
    expect(response.body).toBeNull();
  }
});

it("reads no more of a request than the application has room for", async () => {
  const { body, taken } = pulled(100);
  let goOn = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let size = 0;
  const answer = ask(async (scope, receive, send) => {
    await waiting;
    for (let more = true; more; ) {
      const event = await receive();
      if (event.type !== "http.request") return;
      size += event.body.byteLength;
      more = event.moreBody;
    }
    await sending(200, [], "done")(scope, receive, send);
  }, post(body));
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect(taken()).toBeLessThan(5);
  goOn();
  expect(await (await answer).text()).toBe("done");
  expect(size).toBe(600);
});

it("makes an application wait that streams faster than it is read, and gives up one that does not wait", async () => {
  const piece = "x".repeat(64 * 1024);
  const waits: boolean[] = [];
  let error: unknown;
  const response = await ask(
    async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      try {
        for (let index = 0; index < 10; index += 1) {
          waits.push(send({ type: "http.response.body", body: piece, moreBody: true }) !== undefined);
        }
      } catch (reason) {
        error = reason;
      }
    },
    new Request("http://test.example/"),
    3 * piece.length,
  );
  expect(waits).toEqual([true, true, true]);
  expect(error).toBeInstanceOf(ClientDisconnected);
  await expect(response.text()).rejects.toThrow("the response was cut");
});

it("tells the application when the client has gone", async () => {
  const gone = new AbortController();
  const { body } = pulled(1);
  const told = new Promise<unknown[]>((resolve) => {
    void ask(
      async (scope, receive) => {
        for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
        resolve([scope.signal().aborted]);
      },
      post(body, { signal: gone.signal }),
    );
  });
  gone.abort();
  expect(await told).toEqual([true]);
});

it("tells the application when nobody reads the response any more", async () => {
  const told = new Promise<string>((resolve) => {
    void ask(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "some", moreBody: true });
      for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
      resolve("told");
    }, new Request("http://test.example/")).then((response) => response.body?.cancel());
  });
  expect(await told).toBe("told");
});
