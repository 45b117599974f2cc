import * as sluice from "@sluice/core";
import { FakeClock, WebsocketCommunicator } from "@sluice/testing";
import { expect, test } from "vitest";
import { ada } from "./application.js";

type Events = { news: { text: string } };

/** Everybody hears the news. Who may edit hears of the drafts, too, for as long as their token says so. */
class Newsroom extends sluice.JsonWebsocketConsumer<sluice.MaybeAuthenticated, Events> {
  static readonly handlers = ["news"] as const;
  override readonly groups = ["public"];

  override async receiveJson(text: unknown) {
    this.requireScope("news:edit");
    await this.channelLayer.groupAdd("drafts", this.channelName);
    await this.channelLayer.groupSend("drafts", { type: "news", text: `${this.requireUser().username}: ${text}` });
  }

  /** Asked after a renewal, of each group that the connection is in. */
  override allowsGroup(group: string) {
    return group !== "drafts" || (this.scope.grant?.scopes?.includes("news:edit") ?? false);
  }

  news({ text }: Events["news"]) {
    return this.sendJson(text);
  }
}

test("a connection lives as long as the token it was given last, and may what that one says", async () => {
  const clock = new FakeClock();
  const layer = new sluice.InMemoryChannelLayer({ clock });
  const grant = { user: ada, tokenId: "a", expiresAt: clock.now() + 60_000, scopes: ["news:edit"] };
  const grants = new Map<string, sluice.Grant>([
    ["editor", grant],
    ["reader", { ...grant, tokenId: "b", expiresAt: clock.now() + 3_600_000, scopes: [] }],
  ]);
  const newsroom = sluice.TokenAuth(sluice.asApp(Newsroom, { layer }), {
    verifier: { verify: (token) => grants.get(token) },
    from: [sluice.fromHeader()],
    leases: new sluice.Leases({ layer, clock }),
    clock,
  });
  await using client = new WebsocketCommunicator(newsroom, "/", { headers: [["authorization", "Bearer editor"]] });
  await client.connect();
  client.sendJsonTo("a draft");
  expect(await client.receiveJsonFrom()).toBe("ada: a draft");

  client.sendJsonTo({ type: "auth", token: "reader" });
  expect(await client.receiveJsonFrom()).toEqual({ type: "authenticated", expires_in: 3_600 });
  await clock.advance(60_000);
  await layer.groupSend("drafts", { type: "news", text: "not for readers" });
  client.sendJsonTo("another draft");
  expect(await client.receiveJsonFrom()).toMatchObject({ code: "insufficient_scope", scope: "news:edit" });
  await clock.advance(3_540_000);
  expect(await client.receiveClose()).toEqual({ code: 4401, reason: "expired" });
});
