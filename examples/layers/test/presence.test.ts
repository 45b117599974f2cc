import type { User } from "@sluice/core";
import { WebsocketCommunicator } from "@sluice/testing";
import { expect, it, onTestFinished } from "vitest";
import { createLobby } from "../src/presence.js";
import { describeLayers, patience } from "./describe-layers.js";

const userOf = (username: string): User => ({ isAuthenticated: true, id: `id-${username}`, username });

describeLayers((join) => {
  it("knows in every process who is there, who comes and who leaves, once per user", async () => {
    const [here, there] = [createLobby(await join(), { grace: 100 }), createLobby(await join(), { grace: 100 })];
    for (const process of [here, there]) onTestFinished(() => process.here.close());
    const connect = async ({ lobby }: typeof here, username: string) => {
      const client = new WebsocketCommunicator(lobby, "/", { scope: { user: userOf(username) }, ...patience });
      await client.connect();
      return client;
    };
    await using ada = await connect(here, "ada");
    expect(await ada.receiveJsonFrom()).toEqual({ here: ["ada"] });
    expect(await ada.receiveJsonFrom()).toEqual({ joined: "ada" });

    await using bob = await connect(there, "bob");
    await using bobAgain = await connect(here, "bob");
    expect(await ada.receiveJsonFrom()).toEqual({ joined: "bob" });
    await expect.poll(() => there.here.count("lobby"), patience).toBe(2);
    expect(there.here.members("lobby").map(({ username }) => username)).toEqual(["ada", "bob"]);

    await bobAgain.disconnect();
    await bob.disconnect();
    expect(await ada.receiveJsonFrom()).toEqual({ left: "bob" });
    expect(here.here.count("lobby")).toBe(1);
  });
});
