import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

describe("the application in the README", () => {
  it("is the example, to the letter, in about forty lines", () => {
    const [, block = ""] = /```ts\n([\s\S]*?)```/.exec(read("README.md")) ?? [];
    expect(block).toBe(read("examples/chat/src/main.ts"));
    expect(block.split("\n").length).toBeLessThan(45);
  });

  describe("running", () => {
    let child: ChildProcessByStdio<null, Readable, Readable> | undefined;
    let url = "";
    let token = "";
    beforeAll(async () => {
      child = spawn(process.execPath, ["examples/chat/dist/main.js"], {
        cwd: new URL("..", import.meta.url),
        env: { PATH: process.env.PATH, PORT: "0" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const errors = text(child.stderr);
      const ended = once(child, "exit").then(async ([code]) => {
        throw new Error(`expected the application to say where it is, but it ended with ${code}: ${await errors}`);
      });
      const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended]);
      [url = "", token = ""] = String(line).split(" ");
    });
    afterAll(() => void child?.kill());

    const open = async (path: string, ...protocols: string[]) => {
      const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, protocols);
      await once(socket, "open");
      return socket;
    };
    const message = async (socket: WebSocket): Promise<unknown> =>
      JSON.parse(String((await once(socket, "message"))[0]));

    it("chats with who has a token", async () => {
      const [one, two] = await Promise.all([
        open("/ws/chat/lobby/", "access_token", token),
        open("/ws/chat/lobby/", "access_token", token),
      ]);
      const heard = Promise.all([message(one), message(two)]);
      one.send('{"text":"hi"}');
      expect(await heard).toEqual([
        { from: "ada", text: "hi" },
        { from: "ada", text: "hi" },
      ]);
      const answer = message(two);
      two.send('{"text":1}');
      expect(await answer).toMatchObject({ type: "error", code: "bad_message" });
      one.close();
      two.close();
    });

    it.each([
      ["/ws/chat/lobby/", [], 401],
      ["/ws/chat/lobby/", ["access_token", "forged"], 401],
    ])("refuses %s with %j", async (path, protocols, status) => {
      await expect(open(path, ...protocols)).rejects.toThrow(`Unexpected server response: ${status}`);
    });

    it("answers 404 for a room that cannot be", async () => {
      await expect(open("/ws/chat/no%20such%20room/", "access_token", token)).rejects.toThrow("404");
    });

    it("answers HTTP", async () => {
      expect(await (await fetch(url)).json()).toEqual({ hello: "world" });
    });
  });
});
