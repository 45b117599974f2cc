import { expect, it } from "vitest";
import { member } from "./client.js";
import { startServer, temporaryDirectory } from "./server-process.js";
import { openSocket } from "./socket.js";

it("has every message it showed after SIGKILL in the middle of writes", async () => {
  const directory = await temporaryDirectory();
  const first = await startServer({ dataDirectory: directory.path });
  const { token } = await member(first.url, "ada");
  const socket = await openSocket(`${first.url}/ws/chat/kill/`, { subprotocols: ["access_token", token] });
  const acknowledged: string[] = [];
  const enough = new Promise<void>((resolve) => {
    socket.raw.on("message", (data) => {
      acknowledged.push(JSON.parse(String(data)).data.message);
      if (acknowledged.length === 30) resolve();
    });
  });
  for (let index = 0; index < 200; index++) socket.send({ type: "message", data: { message: `${index}` } });
  await enough;
  await first.kill();
  await socket.closed();
  const seenLast = acknowledged.length;
  expect(seenLast).toBeLessThan(200);

  const second = await startServer({ dataDirectory: directory.path });
  const again = await openSocket(`${second.url}/ws/chat/kill/`, { subprotocols: ["access_token", token] });
  const kept: string[] = [];
  // The history holds fifty; what was acknowledged is all before its end.
  const first50 = await again.next();
  kept.push((first50 as { data: { message: string } }).data.message);
  again.send({ type: "message", data: { message: "end" } });
  while (kept.at(-1) !== "end") kept.push(((await again.next()) as { data: { message: string } }).data.message);
  const oldest = Number(kept[0]);
  expect(kept.slice(0, -1).map(Number)).toEqual(Array.from({ length: kept.length - 1 }, (_, index) => oldest + index));
  expect(Number(kept.at(-2))).toBeGreaterThanOrEqual(Number(acknowledged.at(-1)));
  expect(acknowledged.map(Number)).toEqual(Array.from({ length: seenLast }, (_, index) => index));
  await again.close();
  expect(await second.stop()).toBe(0);
  await directory.remove();
});
