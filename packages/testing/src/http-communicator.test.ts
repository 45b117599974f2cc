import type { App } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { HttpCommunicator } from "./http-communicator.js";

const app: App<"http"> = async (scope, receive, send) => {
  const event = await receive();
  if (scope.path === "/fail") throw new Error("boom");
  await send({ type: "http.response.start", status: 201, headers: [["x-method", scope.method]] });
  if (scope.path === "/cut") {
    await send({ type: "http.response.body", body: "begun", moreBody: true });
    throw new Error("boom");
  }
  await send({ type: "http.response.body", body: '{"body":"', moreBody: true });
  await send({ type: "http.response.body", body: event.type === "http.request" ? event.body : "" });
};

describe("HttpCommunicator", () => {
  it("resolves with the whole response", async () => {
    const response = await new HttpCommunicator(app, "POST", "/", { body: 'hi"}' }).getResponse();
    expect(response).toMatchObject({ status: 201, headers: [["x-method", "POST"]] });
    expect([response.text(), response.json()]).toEqual(['{"body":"hi"}', { body: "hi" }]);
  });

  it("sends one request, also where it is refused before the application hears of it", async () => {
    const headers = [
      ["a", "b"],
      ["c", "d"],
    ] as const;
    const communicator = new HttpCommunicator(app, "GET", "/", { headers, limits: { maxHeaders: 1 } });
    expect(await communicator.getResponse()).toMatchObject({ status: 431 });
    await expect(communicator.getResponse()).rejects.toThrow("expected one getResponse() per communicator");
  });

  it("takes and gives copies", async () => {
    const echo: App<"http"> = async (_scope, receive, send) => {
      const bytes = new Uint8Array([1]);
      const event = await receive();
      if (event.type !== "http.request") return;
      event.body[0] = 9;
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: bytes, moreBody: true });
      bytes[0] = 9;
      await send({ type: "http.response.body", body: bytes });
    };
    const body = new Uint8Array([2]);
    const response = await new HttpCommunicator(echo, "POST", "/", { body }).getResponse();
    expect([...response.body]).toEqual([1, 9]);
    expect([...body]).toEqual([2]);
  });

  it("has no body for HEAD", async () => {
    expect((await new HttpCommunicator(app, "HEAD", "/").getResponse()).text()).toBe("");
  });

  it("rejects with the application's own error", async () => {
    const communicator = new HttpCommunicator(app, "GET", "/fail");
    await expect(communicator.getResponse()).rejects.toMatchObject({
      message: "expected a response, but the application failed: Error: boom",
      cause: new Error("boom"),
    });
    await communicator[Symbol.asyncDispose]();
  });

  it("shows a failure as a client sees it where the test expects errors", async () => {
    const communicator = new HttpCommunicator(app, "GET", "/fail", { expectErrors: true });
    expect(await communicator.getResponse()).toMatchObject({ status: 500 });
    expect(communicator.logger.errors).toEqual([new Error("boom")]);
  });

  it("rejects where the connection is cut", async () => {
    await expect(new HttpCommunicator(app, "GET", "/cut").getResponse()).rejects.toMatchObject({
      message: "expected a response, but the application failed in the middle of it: Error: boom",
      cause: new Error("boom"),
    });
  });

  it("says what a silent application does, and goes away at the end of the block", async () => {
    let told = false;
    const silent: App<"http"> = async (_scope, receive) => {
      for (let event = await receive(); event.type !== "http.disconnect"; ) event = await receive();
      told = true;
    };
    {
      await using communicator = new HttpCommunicator(silent, "GET", "/");
      await expect(communicator.getResponse(10)).rejects.toThrow(
        "expected a response, got nothing within 10 ms; the application is waiting in receive(); it has sent nothing",
      );
    }
    expect(told).toBe(true);
  });

  it("hands on the scope that the application needs", async () => {
    const greet: App<"http", { readonly user: string }> = async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: `${scope.method} by ${scope.user}` });
    };
    const response = await new HttpCommunicator(greet, "GET", "/", { scope: { user: "ada" } }).getResponse();
    expect(response.text()).toBe("GET by ada");
  });

  it("tells of a failure after the response", async () => {
    const late: App<"http"> = async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
      throw new Error("boom");
    };
    const communicator = new HttpCommunicator(late, "GET", "/");
    expect((await communicator.getResponse()).status).toBe(200);
    await expect(communicator[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [new Error("boom")] });
  });
});
