import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { needs, type Runtime } from "./contract-in.js";

/** Starts an example as its header says, on the build, and talks to it. */
export function mainIn(runtime: Runtime): void {
  test(`${runtime.name} serves the application`, async (context) => {
    needs(runtime, context);
    const child = spawn(runtime.binary, [...runtime.run, "src/main.ts"], {
      cwd: runtime.directory,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill());
    const [url] = (await once(createInterface(child.stdout), "line")) as [string];

    expect(await (await fetch(url)).json()).toEqual({ hello: "world" });
    const ada = await open(`${url}/rooms/tea/`);
    const grace = await open(`${url}/rooms/tea/`);
    const heard = Promise.all([once(ada, "message"), once(grace, "message")]);
    ada.send("hello");
    expect((await heard).map(([message]) => String(message))).toEqual(["hello", "hello"]);
    await expect(open(`${url}/rooms/`)).rejects.toThrow("404");
  });
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}
