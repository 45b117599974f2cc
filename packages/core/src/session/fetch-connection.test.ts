import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { App } from "../app.js";
import { ClientDisconnected } from "../errors.js";
import { silentLogger } from "../ports/logger.js";
import type { RequestHead } from "../ports/transport.js";
import type { HeaderList } from "../scope.js";
import { openFetch } from "./fetch-connection.js";
import { fetchHead } from "./fetch-head.js";
import type { Limits } from "./limits.js";
import { ProtocolServer } from "./protocol-server.js";

const ends = { client: { host: "192.0.2.1", port: 4000 }, server: { host: "127.0.0.1", port: 8000 } };

function serverOf(http: App<"http">, limits: Partial<Limits> = { maxInboxBytes: 10 }): ProtocolServer {
  const app: App = (scope, receive, send) => (http as App)(scope, receive, send);
  return new ProtocolServer(app, { logger: silentLogger, limits });
}

function openOn(server: ProtocolServer, request: Request, head: Partial<RequestHead> = {}): Promise<Response> {
  return openFetch(server, request, { ...fetchHead(request, ends), ...head }, { maxBackpressure: 1024 * 1024 });
}

function ask(http: App<"http">, request: Request, maxBackpressure = 1024 * 1024): Promise<Response> {
  return openFetch(serverOf(http), request, fetchHead(request, ends), { maxBackpressure });
}

const sending = (status: number, headers: readonly (readonly [string, string])[], ...pieces: string[]): App<"http"> => {
  return async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status, headers });
    for (const [index, body] of pieces.entries()) {
      await send({ type: "http.response.body", body, moreBody: index < pieces.length - 1 });
    }
  };
};

interface Pulled {
  readonly body: ReadableStream<Uint8Array>;
  readonly taken: () => number;
  readonly cancelled: () => boolean;
}

/** A body whose pieces, of six bytes each, are asked for one by one. */
function pulled(pieces: number): Pulled {
  let taken = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === pieces) controller.close();
        else controller.enqueue(new Uint8Array(6));
        taken += 1;
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => taken, cancelled: () => cancelled };
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

it.each([204, 205, 304])("answers %i without a body, whatever the application sends", async (status) => {
  for (const pieces of [["hello"], ["some", "more"]]) {
    const response = await ask(sending(status, [], ...pieces), new Request("http://test.example/"));
    expect(response.status).toBe(status);
    expect(response.body).toBeNull();
  }
});

it.each([204, 205])("answers %i without the length of a body that it must not have", async (status) => {
  const headers = [["content-length", "5"]] as const;
  for (const method of ["GET", "HEAD"]) {
    for (const pieces of [["hello"], ["hel", "lo"]]) {
      const response = await ask(sending(status, headers, ...pieces), new Request("http://test.example/", { method }));
      expect(response.headers.get("content-length")).toBeNull();
    }
  }
});

it("answers with bytes in memory that is shared", async () => {
  const body = new Uint8Array(new SharedArrayBuffer(2)).fill(65);
  for (const moreBody of [false, true]) {
    const response = await ask(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body, moreBody });
      if (moreBody) await send({ type: "http.response.body" });
    }, new Request("http://test.example/"));
    expect(await response.text()).toBe("AA");
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

describe("the promise of a response", () => {
  /** Neither answers nor returns before it is told that the client has gone. */
  const waitForEnd: App<"http"> = async (_scope, receive) => {
    for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
  };

  it("is kept where the request body cannot be read to its end", async () => {
    const server = serverOf(waitForEnd);
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("bad chunk")) });
    expect(await openOn(server, post(body))).toMatchObject({ status: 400 });
    await nextTurn();
    expect(server.connections.http).toBe(0);
  });

  it("is kept where somebody else reads the request body", async () => {
    const server = serverOf(waitForEnd);
    const request = post(pulled(1).body);
    request.body?.getReader();
    expect(await openOn(server, request)).toMatchObject({ status: 400 });
  });

  it("is kept where the client goes before the answer", async () => {
    const server = serverOf(waitForEnd);
    const gone = new AbortController();
    const answer = openOn(server, new Request("http://test.example/", { signal: gone.signal }));
    gone.abort();
    await answer;
    await nextTurn();
    expect(server.connections.http).toBe(0);
  });

  it("is kept where the client has gone before the application runs, which then never does", async () => {
    let runs = 0;
    const server = serverOf(() => {
      runs += 1;
    });
    await openOn(server, new Request("http://test.example/", { signal: AbortSignal.abort() }));
    expect(runs).toBe(0);
    expect(server.connections.http).toBe(0);
  });

  it("is kept where the runtime does not take the response that is to begin", async () => {
    const native = globalThis.Response;
    onTestFinished(() => void Object.assign(globalThis, { Response: native }));
    Object.assign(globalThis, {
      Response: class extends native {
        constructor(body?: BodyInit | null, init?: ResponseInit) {
          if (body instanceof ReadableStream) throw new TypeError("not this one");
          super(body, init);
        }
      },
    });
    expect(await ask(sending(200, [], "some", "more"), new Request("http://test.example/"))).toMatchObject({
      status: 500,
    });
  });
});

it("cuts a response that is under way when the request body cannot be read", async () => {
  let fail = (): void => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = () => controller.error(new Error("bad chunk"));
    },
  });
  const response = await ask(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "some", moreBody: true });
    fail();
    for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
  }, post(body));
  await expect(response.text()).rejects.toThrow("the response was cut");
});

describe("the rest of a request body, once the response is complete", () => {
  const early = sending(200, [], "enough");
  const limits = { maxInboxBytes: 10, maxBodySize: 60 };
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) await nextTurn();
  };

  it("is read as far as a body may go, and then given up", async () => {
    const { body, taken, cancelled } = pulled(1_000);
    expect(await (await openOn(serverOf(early, limits), post(body))).text()).toBe("enough");
    await turns();
    expect(cancelled()).toBe(true);
    expect(taken() * 6).toBeGreaterThanOrEqual(60);
    expect(taken() * 6).toBeLessThanOrEqual(60 + 4 * 6);
  });

  it("is read to its end where that comes before", async () => {
    const { body, taken, cancelled } = pulled(8);
    await openOn(serverOf(early, limits), post(body));
    await turns();
    expect(taken()).toBe(9);
    expect(cancelled()).toBe(false);
  });

  it.each<[string, App<"http">, HeaderList]>([
    ["an answer", sending(200, [["Connection", "Keep-Alive, Close"]], "enough"), []],
    ["a streamed answer", sending(200, [["connection", "close"]], "enough", "of it"), []],
    ["a refusal of the announced length", early, [["content-length", "61"]]],
  ])("is not read after %s that ends the connection", async (_, http, headers) => {
    const { body, taken, cancelled } = pulled(1_000);
    const request = post(body);
    const response = await openOn(serverOf(http, limits), request, { headers });
    await response.text();
    await turns();
    expect(cancelled()).toBe(true);
    expect(taken()).toBeLessThan(4);
  });

  it("is not waited for after an answer that ends the connection", async () => {
    const cancelled = new Promise<string>((resolve) => {
      const body = new ReadableStream<Uint8Array>({ cancel: () => resolve("cancelled") }, { highWaterMark: 0 });
      const answering: App<"http"> = async (scope, receive, send) => {
        await nextTurn();
        await sending(200, [["connection", "close"]], "enough")(scope, receive, send);
      };
      void openOn(serverOf(answering, limits), post(body));
    });
    expect(await cancelled).toBe("cancelled");
  });

  it("is not read after a body that was found to be too large", async () => {
    const { body, taken, cancelled } = pulled(1_000);
    const reading: App<"http"> = async (_scope, receive) => {
      for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
    };
    expect(await openOn(serverOf(reading, limits), post(body))).toMatchObject({ status: 413 });
    await turns();
    expect(cancelled()).toBe(true);
    expect(taken()).toBeLessThan(14);
  });
});
