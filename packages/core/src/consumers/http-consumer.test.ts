import { describe, expect, test } from "vitest";
import { FakeRequest, settled } from "../../test/fake-connections.js";
import { DenyConnection, StopConsumer } from "../errors.js";
import { InMemoryChannelLayer } from "../layers/in-memory.js";
import { asApp } from "./as-app.js";
import { HttpConsumer } from "./http-consumer.js";

let ends = 0;

/** Counts the calls of `disconnect`. */
abstract class Counted extends HttpConsumer {
  override disconnect() {
    ends++;
  }
}

/** Runs `handle` as a consumer's. */
function handling(handle: (consumer: Opened, body: string) => void | Promise<void>): new (context: never) => Counted {
  ends = 0;
  return class extends Counted {
    override handle(body: Uint8Array) {
      return handle(
        {
          sendHeaders: (...from) => this.sendHeaders(...from),
          sendBody: (...from) => this.sendBody(...from),
          sendResponse: (...from) => this.sendResponse(...from),
        },
        new TextDecoder().decode(body),
      );
    }
  };
}

interface Opened {
  sendHeaders(status?: number): void | Promise<void>;
  sendBody(data: string, options?: { moreBody?: boolean }): void | Promise<void>;
  sendResponse(status: number, body: string, options?: { headers: [string, string][] }): void | Promise<void>;
}

describe("HttpConsumer", () => {
  test("gets the whole body, and answers", async () => {
    const app = asApp(
      handling((consumer, body) =>
        consumer.sendResponse(201, body.toUpperCase(), { headers: [["content-type", "text/plain"]] }),
      ),
    );
    const request = new FakeRequest(app, { method: "POST" }).data("one ", false).data("", false).data("two");
    await settled();
    expect(request).toMatchObject({ status: 201, pieces: ["ONE TWO"], outcome: "whole" });
    expect(request.headers).toEqual([["content-type", "text/plain"]]);
    expect(ends).toBe(1);
    expect(request.running).toBe(false);
    expect(request.log.errors).toEqual([]);
  });

  test("gets an empty body of a request without one", async () => {
    const request = new FakeRequest(asApp(handling((consumer, body) => consumer.sendResponse(200, `[${body}]`))));
    request.data("");
    await settled();
    expect(request.pieces).toEqual(["[]"]);
  });

  test("waits for the end of the body", async () => {
    const request = new FakeRequest(asApp(handling((consumer) => consumer.sendResponse(200, "done"))));
    request.data("a", false);
    await settled();
    expect(request.status).toBeUndefined();
    request.data("b");
    expect(request.pieces).toEqual(["done"]);
  });

  test("streams its answer, held back by a slow client", async () => {
    const consumer = handling(async (self) => {
      await self.sendHeaders();
      for (const piece of ["a", "b"]) await self.sendBody(piece, { moreBody: true });
      await self.sendBody("c");
    });
    const request = new FakeRequest(asApp(consumer));
    request.writeStatus = "buffered";
    request.data("");
    await settled();
    expect(request.pieces).toEqual(["a"]);
    request.drained();
    await settled();
    expect(request).toMatchObject({ status: 200, pieces: ["a", "b", "c"], outcome: "streamed" });
    expect(ends).toBe(1);
    expect(request.running).toBe(false);
  });

  test("answers a body above 1 MiB with 413, and keeps no more of it", async () => {
    const consumer = handling((self) => self.sendResponse(200, "never"));
    const request = new FakeRequest(asApp(consumer), { method: "POST" });
    request.data("x".repeat(1024 * 1024), false);
    expect(request.status).toBeUndefined();
    request.data("x", false);
    await settled();
    expect(request).toMatchObject({ status: 413, outcome: "whole" });
    request.data("x".repeat(1024 * 1024));
    await settled();
    expect(request.status).toBe(413);
    expect(ends).toBe(1);
    expect(request.running).toBe(false);
    expect(request.log.errors).toEqual([]);
  });

  test("may set its own limit", async () => {
    class Small extends Counted {
      override readonly maxBodySize = 3;
      override handle(body: Uint8Array) {
        return this.sendResponse(200, String(body.byteLength));
      }
    }
    const [fits, exceeds] = [new FakeRequest(asApp(Small)).data("abc"), new FakeRequest(asApp(Small)).data("abcd")];
    await settled();
    expect([fits.status, exceeds.status]).toEqual([200, 413]);
  });

  test.each([
    [
      "a throw",
      () => {
        throw new Error("bug");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("bug"))],
  ])("ends %s with 500 and one disconnect()", async (_name, handle) => {
    const request = new FakeRequest(asApp(handling(handle))).data("");
    await settled();
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([expect.objectContaining({ message: "bug" })]);
    expect(ends).toBe(1);
    expect(request.running).toBe(false);
  });

  test("cuts the connection when it throws in the midst of its answer", async () => {
    const consumer = handling(async (self) => {
      await self.sendHeaders();
      await self.sendBody("half", { moreBody: true });
      throw new Error("bug");
    });
    const request = new FakeRequest(asApp(consumer)).data("");
    await settled();
    expect(request).toMatchObject({ pieces: ["half"], outcome: "cut" });
    expect(ends).toBe(1);
  });

  test("may refuse by DenyConnection", async () => {
    const consumer = handling(() => {
      throw new DenyConnection({ status: 429, body: "later" });
    });
    const request = new FakeRequest(asApp(consumer)).data("");
    await settled();
    expect(request).toMatchObject({ status: 429, pieces: ["later"] });
    expect(request.log.errors).toEqual([]);
    expect(ends).toBe(1);
  });

  test("ends its stream by StopConsumer", async () => {
    const consumer = handling(async (self) => {
      await self.sendHeaders();
      await self.sendBody("all", { moreBody: true });
      throw new StopConsumer();
    });
    const request = new FakeRequest(asApp(consumer)).data("");
    await settled();
    expect(request).toMatchObject({ pieces: ["all"], outcome: "streamed" });
    expect(request.log.errors).toEqual([]);
    expect(ends).toBe(1);
  });

  test("is told when the client leaves before its request was complete", async () => {
    const request = new FakeRequest(asApp(handling(() => expect.unreachable()))).data("half", false);
    request.leave();
    await settled();
    expect(ends).toBe(1);
    expect(request.running).toBe(false);
    expect(request.log.errors).toEqual([]);
  });

  test("sends nothing after the last of its body, nor to a client that has left", async () => {
    const opened: Opened[] = [];
    const consumer = handling(async (self) => {
      opened.push(self);
      await self.sendHeaders();
      await self.sendBody("a", { moreBody: opened.length === 2 });
    });
    const answered = new FakeRequest(asApp(consumer)).data("");
    await settled();
    const left = new FakeRequest(asApp(consumer)).data("");
    await settled();
    left.leave();
    for (const self of opened) await self.sendBody("late");
    await settled();
    expect([answered.pieces, left.pieces]).toEqual([["a"], ["a"]]);
    expect([...answered.log.errors, ...left.log.errors]).toEqual([]);
  });

  test("sends nothing after the last of its body in the same breath either", async () => {
    const consumer = handling(async (self) => {
      await self.sendResponse(200, "all");
      await self.sendBody("late");
    });
    const request = new FakeRequest(asApp(consumer)).data("");
    await settled();
    expect(request.pieces).toEqual(["all"]);
    expect(request.log.errors).toEqual([]);
  });

  test("must begin with headers", async () => {
    const request = new FakeRequest(asApp(handling((self) => self.sendBody("early")))).data("");
    await settled();
    expect(request.status).toBe(500);
    expect(request.log.errors).toEqual([
      expect.objectContaining({ message: 'expected "http.response.start", got "http.response.body"' }),
    ]);
  });
});

describe("HttpConsumer in a channel layer", () => {
  interface NewsEvents {
    "news.item": { headline: string };
    "news.end": {};
  }

  class News extends HttpConsumer<{}, NewsEvents> {
    static readonly handlers = ["news.item", "news.end"] as const;
    override readonly groups = ["news"];
    async handle() {
      await this.sendHeaders(200, { headers: [["content-type", "text/event-stream"]] });
      await this.sendBody(": welcome\n\n", { moreBody: true });
    }
    override disconnect() {
      ends++;
    }
    newsItem({ headline }: { headline: string }) {
      return this.sendBody(`data: ${JSON.stringify(headline)}\n\n`, { moreBody: true });
    }
    newsEnd() {
      return this.sendBody("");
    }
  }

  test("sends server-sent events for as long as the client stays", async () => {
    ends = 0;
    const layer = new InMemoryChannelLayer();
    const app = asApp(News, { layer });
    const [stays, leaves] = [new FakeRequest(app).data(""), new FakeRequest(app).data("")];
    await settled();
    await layer.groupSend("news", { type: "news.item", headline: "one" });
    leaves.leave();
    await settled();
    await layer.groupSend("news", { type: "news.item", headline: "two" });
    expect(stays.pieces).toEqual([": welcome\n\n", 'data: "one"\n\n', 'data: "two"\n\n']);
    expect(leaves.pieces).toEqual([": welcome\n\n", 'data: "one"\n\n']);
    expect(layer.counts).toEqual({ channels: 1, groups: 1 });
    expect(ends).toBe(1);
    await layer.groupSend("news", { type: "news.end" });
    await settled();
    expect(stays.outcome).toBe("streamed");
    expect(ends).toBe(2);
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
    expect([stays.running, leaves.running]).toEqual([false, false]);
  });

  test("hears nothing after the client has left", async () => {
    const heard: string[] = [];
    class Slow extends News {
      override async newsItem({ headline }: { headline: string }) {
        heard.push(headline);
        await settled();
      }
    }
    const layer = new InMemoryChannelLayer();
    const request = new FakeRequest(asApp(Slow, { layer })).data("");
    await settled();
    void layer.groupSend("news", { type: "news.item", headline: "one" });
    request.leave();
    void layer.groupSend("news", { type: "news.item", headline: "two" });
    await settled();
    await settled();
    expect(heard).toEqual(["one"]);
    expect(request.running).toBe(false);
  });

  test("answers a long poll with the first message, even one that comes while the body does", async () => {
    class Poll extends HttpConsumer<{}, { "news.item": { headline: string } }> {
      static readonly handlers = ["news.item"] as const;
      override readonly groups = ["news"];
      handle() {}
      newsItem({ headline }: { headline: string }) {
        return this.sendResponse(200, headline);
      }
    }
    const layer = new InMemoryChannelLayer();
    const request = new FakeRequest(asApp(Poll, { layer }), { method: "POST" }).data("a", false);
    await settled();
    for (const headline of ["one", "two"]) await layer.groupSend("news", { type: "news.item", headline });
    expect(request.status).toBeUndefined();
    request.data("b");
    await settled();
    expect(request).toMatchObject({ status: 200, pieces: ["one"], outcome: "whole" });
    expect(layer.counts).toEqual({ channels: 0, groups: 0 });
  });
});
