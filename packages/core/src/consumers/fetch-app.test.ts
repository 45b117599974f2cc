import { httpScope } from "@sluice/testing";
import { describe, expect, test } from "vitest";
import { FakeRequest, settled } from "../../test/fake-connections.js";
import type { Receive, ReceiveEvent } from "../app.js";
import { provide } from "../middleware.js";
import type { RequestHead } from "../ports/transport.js";
import { fetchApp } from "./fetch-app.js";

const encoder = new TextEncoder();

/** A body that the test feeds. */
class Source {
  controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  pulls = 0;
  cancelled = 0;
  readonly stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        this.controller = controller;
      },
      pull: () => {
        this.pulls++;
      },
      cancel: () => {
        this.cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  async push(text: string): Promise<void> {
    this.controller?.enqueue(encoder.encode(text));
    await settled();
  }
}

async function answer(
  handler: Parameters<typeof fetchApp>[0],
  head: Partial<RequestHead> = {},
  body?: string,
): Promise<FakeRequest> {
  const request = new FakeRequest(fetchApp(handler), head);
  request.data(body ?? "");
  await settled();
  return request;
}

describe("the request of fetchApp", () => {
  test("has the method, the address and the headers of the scope", async () => {
    let got: Request | undefined;
    await answer(
      (request) => {
        got = request;
        return new Response();
      },
      {
        method: "PUT",
        secure: true,
        rawPath: "/a%20b//c",
        queryString: "x=1&y=%2F",
        headers: [
          ["host", "example.com:8443"],
          ["cookie", "a=1"],
          ["cookie", "b=2"],
          ["x-many", "1"],
          ["x-many", "2"],
        ],
      },
    );
    expect(got?.method).toBe("PUT");
    expect(got?.url).toBe("https://example.com:8443/a%20b//c?x=1&y=%2F");
    expect(Object.fromEntries(got?.headers ?? [])).toEqual({
      host: "example.com:8443",
      cookie: "a=1; b=2",
      "x-many": "1, 2",
    });
  });

  test("comes with the scope, and with what middleware put into it", async () => {
    const user = provide(() => ({ user: { name: "ann" } }));
    const app = user(
      fetchApp<{ user: { name: string } }>((_request, { scope }) => new Response(`${scope.user.name} ${scope.path}`)),
    );
    const request = new FakeRequest(app, { rawPath: "/me" }).data("");
    await settled();
    expect(request.pieces).toEqual(["ann /me"]);
  });

  test("has the body, in pieces as they came", async () => {
    const request = await answer(
      async (web) => new Response(JSON.stringify(await web.json())),
      { method: "POST" },
      '{"a":1}',
    );
    expect(request.pieces).toEqual(['{"a":1}']);
    const pieces: string[] = [];
    const piecewise = new FakeRequest(
      fetchApp(async (web) => {
        for await (const piece of web.body ?? []) pieces.push(new TextDecoder().decode(piece));
        return new Response("done");
      }),
      { method: "POST" },
    );
    piecewise.data("one", false).data("", false).data("two", false).data("");
    await settled();
    expect(pieces).toEqual(["one", "two"]);
    expect(piecewise.pieces).toEqual(["done"]);
  });

  test("takes from the client no more than its reader asks for", async () => {
    let pulled = 0;
    const receive: Receive<"http"> = Object.assign(
      async (): Promise<ReceiveEvent<"http">> => {
        pulled++;
        return { type: "http.request", body: encoder.encode("piece"), moreBody: true };
      },
      { pipe: () => Promise.reject(new Error("expected the body to be pulled")) },
    );
    const scope = httpScope({ method: "POST" });
    const app = fetchApp(async (request) => {
      await settled();
      expect(pulled).toBe(0);
      const reader = request.body?.getReader();
      await reader?.read();
      await reader?.read();
      await settled();
      return new Response(String(pulled));
    });
    const sent: unknown[] = [];
    await app(scope, receive, (event) => void sent.push(event));
    expect(sent[1]).toMatchObject({ body: encoder.encode("2"), moreBody: false });
  });

  test.each(["GET", "HEAD"])("has no body for %s", async (method) => {
    let body: unknown;
    await answer(
      (request) => {
        body = request.body;
        return new Response();
      },
      { method },
    );
    expect(body).toBeNull();
  });

  test("need not be read", async () => {
    const request = await answer(() => new Response("no, thanks", { status: 403 }), { method: "POST" }, "much");
    expect(request).toMatchObject({ status: 403, pieces: ["no, thanks"] });
    expect(request.running).toBe(false);
  });

  test("aborts and fails to be read when the client leaves, which is nobody's error", async () => {
    let signal: AbortSignal | undefined;
    const handler = async (web: Request): Promise<Response> => {
      signal = web.signal;
      return new Response(await web.text());
    };
    const request = new FakeRequest(fetchApp(handler), { method: "POST" });
    request.data("half", false);
    await settled();
    request.leave();
    await settled();
    expect(signal?.aborted).toBe(true);
    expect(request.log.errors).toEqual([]);
    expect(request.running).toBe(false);
  });

  test("does not abort after its answer", async () => {
    let signal: AbortSignal | undefined;
    const request = await answer((web) => {
      signal = web.signal;
      return new Response("ok");
    });
    request.leave();
    expect(signal?.aborted).toBe(false);
  });

  test.each([
    ["example.com", "http://example.com/"],
    ["EXAMPLE.com:80", "http://example.com/"],
    ["127.0.0.1:8000", "http://127.0.0.1:8000/"],
    ["[::1]:8000", "http://[::1]:8000/"],
    ["under_score.local", "http://under_score.local/"],
  ])("takes the host %s", async (host, url) => {
    const request = await answer((web) => new Response(web.url), { headers: [["host", host]] });
    expect(request.pieces).toEqual([url]);
  });

  test.each([
    "",
    "a b",
    "user@example.com",
    "example.com/path",
    "example.com?x",
    "example.com#x",
    "example.com\\x",
    "example.com:port",
    "example.com:99999",
    "example.com:",
    "[::1",
    "[g::]",
    "ex%61mple.com",
    "999.999.999.999",
  ])("is refused with 400 for the host %j", async (host) => {
    const request = await answer(() => expect.unreachable(), { headers: [["host", host]] });
    expect(request.status).toBe(400);
    expect(request.log.errors).toEqual([]);
  });

  test("is refused with 400 for two hosts", async () => {
    const headers = [
      ["host", "example.com"],
      ["host", "example.com"],
    ] as const;
    expect((await answer(() => expect.unreachable(), { headers })).status).toBe(400);
  });

  test("is for the server itself if there is no host", async () => {
    const url = async (head: Partial<RequestHead>) =>
      (await answer((web) => new Response(web.url), { headers: [], ...head })).pieces[0];
    expect(await url({})).toBe("http://localhost/");
    expect(await url({ server: { host: "10.0.0.1", port: 8000 } })).toBe("http://localhost:8000/");
    expect(await url({ server: { host: "/run/app.sock", port: undefined } })).toBe("http://localhost/");
  });

  test("cannot be led to another host by its path", async () => {
    const request = await answer((web) => new Response(web.url), { rawPath: "//evil.example/@x" });
    expect(request.pieces).toEqual(["http://example.com//evil.example/@x"]);
  });

  test.each(["CONNECT", "TRACE", "TRACK"])("is refused with 405 for %s", async (method) => {
    const request = await answer(() => expect.unreachable(), { method });
    expect(request.status).toBe(405);
    expect(request.headers).toContainEqual(["allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"]);
    expect(request.log.errors).toEqual([]);
  });
});

describe("the response of fetchApp", () => {
  test.each([
    ["text", () => new Response("body"), "body"],
    ["bytes", () => new Response(encoder.encode("body")), "body"],
    ["JSON", () => Response.json({ a: 1 }), '{"a":1}'],
    ["a form", () => new Response(new URLSearchParams({ a: "1" })), "a=1"],
    ["an empty text", () => new Response(""), ""],
    ["nothing", () => new Response(null, { status: 204 }), ""],
  ])("of %s goes out in one piece", async (_name, handler, body) => {
    const request = await answer(handler);
    expect(request).toMatchObject({ pieces: [body], outcome: "whole" });
    expect(request.running).toBe(false);
    expect(request.log.errors).toEqual([]);
  });

  test("of a blob goes out whole or as a stream: newer Nodes tell its end in a later turn only", async () => {
    const request = await answer(() => new Response(new Blob(["body"])));
    await expect.poll(() => request.running).toBe(false);
    expect(["whole", "streamed"]).toContain(request.outcome);
    expect(request.pieces.join("")).toBe("body");
    expect(request.log.errors).toEqual([]);
  });

  test("keeps its status and its headers, each cookie on a line of its own", async () => {
    const headers = new Headers({ "content-type": "text/x", "x-a": "1" });
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    const request = await answer(() => new Response("body", { status: 201, headers }));
    expect(request.status).toBe(201);
    expect([...request.headers].sort()).toEqual([
      ["content-type", "text/x"],
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
      ["x-a", "1"],
    ]);
  });

  test("leaves the framing of the body to the transport", async () => {
    const headers = { connection: "close", "transfer-encoding": "chunked", "content-length": "999", "x-a": "1" };
    expect((await answer(() => new Response(null, { headers }))).headers).toEqual([["x-a", "1"]]);
  });

  test("to HEAD has no body, and keeps the length that it would have had", async () => {
    const source = new Source();
    const headers = { "content-length": "999" };
    const request = await answer(() => new Response(source.stream, { headers }), { method: "HEAD" });
    expect(request).toMatchObject({ pieces: [""], outcome: "whole", headers: [["content-length", "999"]] });
    expect(source.cancelled).toBe(1);
  });

  test("is streamed, each piece when it is there", async () => {
    const source = new Source();
    const request = await answer(() => new Response(source.stream));
    await source.push("one");
    expect(request.pieces).toEqual(["one"]);
    await source.push("two");
    expect(request).toMatchObject({ pieces: ["one", "two"], outcome: undefined });
    source.controller?.close();
    await settled();
    expect(request).toMatchObject({ pieces: ["one", "two"], outcome: "streamed" });
    expect(request.running).toBe(false);
  });

  test("is made no faster than the client reads", async () => {
    let made = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(encoder.encode(String(++made)));
        },
      },
      { highWaterMark: 0 },
    );
    const request = new FakeRequest(fetchApp(() => new Response(stream)));
    request.writeStatus = "buffered";
    request.data("");
    await settled();
    expect(request.pieces).toEqual(["1"]);
    // One is with the client, one is ahead of it.
    expect(made).toBe(2);
    request.leave();
    await settled();
    expect(made).toBe(2);
    expect(request.running).toBe(false);
  });

  test("is cancelled when the client leaves, while it waits for its next piece", async () => {
    const source = new Source();
    const request = await answer(() => new Response(source.stream));
    await source.push("one");
    request.leave();
    await settled();
    expect(source.cancelled).toBe(1);
    expect(request.log.errors).toEqual([]);
    expect(request.running).toBe(false);
  });

  test("is cancelled when the client has left before it was there", async () => {
    const source = new Source();
    let respond = (): void => {};
    const request = await answer(async () => {
      await new Promise<void>((resolve) => {
        respond = resolve;
      });
      return new Response(source.stream);
    });
    request.leave();
    respond();
    await settled();
    expect(source.cancelled).toBe(1);
    expect(request.status).toBeUndefined();
    expect(request.log.errors).toEqual([]);
    expect(request.running).toBe(false);
  });

  test("that fails before its first piece is a 500", async () => {
    const source = new Source();
    const request = await answer(() => new Response(source.stream));
    source.controller?.error(new Error("disk"));
    await settled();
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([expect.objectContaining({ message: "disk" })]);
  });

  test("that fails later cuts the connection", async () => {
    const source = new Source();
    const request = await answer(() => new Response(source.stream));
    await source.push("one");
    source.controller?.error(new Error("disk"));
    await settled();
    expect(request).toMatchObject({ status: 200, pieces: ["one"], outcome: "cut" });
    expect(request.log.errors).toEqual([expect.objectContaining({ message: "disk" })]);
    expect(request.running).toBe(false);
  });

  test("must be made of bytes", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(1);
      },
    });
    const request = await answer(() => new Response(stream));
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([
      expect.objectContaining({ message: "expected a response body of bytes, got number" }),
    ]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("bug");
      },
    ],
    ["rejects", () => Promise.reject(new Error("bug"))],
  ])("is a 500 if the handler %s", async (_name, handler) => {
    const request = await answer(handler);
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([expect.objectContaining({ message: "bug" })]);
  });

  test("must be a Response", async () => {
    const request = await answer((() => undefined) as unknown as () => Response);
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([
      expect.objectContaining({ message: "expected the fetch handler to return a Response, got undefined" }),
    ]);
  });

  test("cannot be sent twice", async () => {
    const response = new Response("once");
    expect((await answer(() => response)).pieces).toEqual(["once"]);
    expect((await answer(() => response)).status).toBe(500);
  });
});
