import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePostgres, freshDatabase } from "../../../test/fresh-database.js";
import { member } from "./client.js";
import { type ServerProcess, sluice, startServer, startWorker } from "./server-process.js";
import { openSocket } from "./socket.js";

describePostgres(() => {
  let env: Record<string, string>;
  let server: ServerProcess;
  let token: string;
  beforeAll(async () => {
    env = {
      DATABASE_URL: await freshDatabase(),
      CHANNEL_LAYER: "postgres",
      SECRET_KEY: "a secret that all processes know, 32 bytes",
    };
    server = await startServer({ env });
    ({ token } = await member(server.url, "ada", "Ada"));
  });
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
  });

  const post = (message: string, more: object = {}) =>
    sluice(
      ["send", "--channel", "messages", JSON.stringify({ type: "message.post", username: "ada", message, ...more })],
      env,
    );

  it("workers say in a room what scripts send them; what fails is logged, and the next one comes", async () => {
    // Sent before there is anybody to work on it.
    expect(await post("first")).toMatchObject({ code: 0, stdout: "Sent message.post to the channel messages\n" });
    const room = await openSocket(`${server.url}/ws/chat/?token=${token}`);
    const worker = await startWorker(["messages", "--concurrency", "1"], { env });
    expect(await room.next()).toMatchObject({ data: { message: "first", sender: { userName: "ada", name: "Ada" } } });
    await post("nobody's", { username: "nobody" });
    await post("");
    await post("second");
    expect(await room.next()).toMatchObject({ data: { message: "second" } });
    const failures = () => worker.log().filter(({ level }) => level === 50);
    await worker.until(() => failures().length >= 2);
    expect(failures()).toHaveLength(2);
    expect(await worker.stop()).toBe(0);
    expect(worker.log().map(({ msg }) => msg)).toContain("stopped");
    await room.close();
  });

  it("a script speaks to a group as a consumer does", async () => {
    const room = await openSocket(`${server.url}/ws/chat/scripts/?token=${token}`);
    await room.close();
    const pub = await openSocket(`${server.url}/ws/chat/?token=${token}`);
    const data = {
      sender: { id: "0", userName: "cron", name: "" },
      message: "tick",
      date: "2026-01-01T00:00:00+00:00",
    };
    const sent = await sluice(["send", "pubchat", JSON.stringify({ type: "chat.message", id: "x", data })], env);
    expect(sent).toMatchObject({ code: 0, stdout: "Sent chat.message to the group pubchat\n" });
    const messages: unknown[] = [];
    while (messages.at(-1) !== "tick") {
      messages.push(((await pub.next()) as { data: { message: string } }).data.message);
    }
    await pub.close();
  });

  describe("are refused in one line:", () => {
    it.each([
      [["worker", "nothing"], {}, "expected channels out of messages, got nothing"],
      [["worker", "messages", "--concurrency", "0"], {}, "--concurrency: expected a whole number from 1 to 1000"],
      [
        ["worker", "messages"],
        { CHANNEL_LAYER: "memory" },
        "CHANNEL_LAYER: expected redis://... or postgres, as the server has; the in-memory layer ends at this process",
      ],
      [
        ["send", "room", '{"type":"a"}'],
        { CHANNEL_LAYER: "memory" },
        "CHANNEL_LAYER: expected redis://... or postgres, as the server has; the in-memory layer ends at this process",
      ],
      [["send", "room", "{"], {}, "expected a message in JSON: "],
      [["send", "room", "[]"], {}, 'expected a message with a type, such as {"type":"chat.message"}'],
      [["send", "a room", '{"type":"a"}'], {}, "expected a group name of "],
      [["send", "room", '{"type":"layer.gap"}'], {}, 'expected a type that does not begin with "layer."'],
    ])("%j", async (commandLine, more, words) => {
      const { code, stdout, stderr } = await sluice(commandLine, { ...env, ...more });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr.startsWith(`sluice: ${words}`)).toBe(true);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    });
  });
});
