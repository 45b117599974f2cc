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

  it("has no body for HEAD", async () => {
    expect((await new HttpCommunicator(app, "HEAD", "/").getResponse()).text()).toBe("");
  });

  it("shows a failure as a client sees it, and keeps the error", async () => {
    const communicator = new HttpCommunicator(app, "GET", "/fail");
    expect(await communicator.getResponse()).toMatchObject({ status: 500 });
    expect(communicator.logger.errors).toEqual([new Error("boom")]);
  });

  it("rejects where the connection is cut", async () => {
    await expect(new HttpCommunicator(app, "GET", "/cut").getResponse()).rejects.toThrow(
      "expected a whole response, got a cut connection",
    );
  });
});
