import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import type { Dialect } from "../servers/dialect.js";
import { AmongLoad } from "./among-load.js";
import { answerTimeLimit } from "./connection.js";
import { seating } from "./crowd.js";
import { opcode, serverFrame } from "./frame.js";
import { GroupLoad } from "./group-load.js";
import { HandshakeLoad } from "./handshake-load.js";
import { IdleLoad } from "./idle-load.js";
import { JitterLoad } from "./jitter-load.js";
import type { Visit } from "./load.js";
import { StormLoad } from "./storm-load.js";
import { closing, framesIn, play, serve, serveGroups, upgrade, visit } from "./test-server.js";

afterEach(() => {
  vi.useRealTimers();
});

test("what one member of each group says is heard by all of its group, and units are whole messages", async () => {
  const said: string[] = [];
  const port = await serveGroups((members, text) => {
    said.push(text);
    return members;
  });
  const load = new GroupLoad(visit(port, { units: 13 }), seating(2, 3));
  expect(await play(load)).toEqual({ units: 18, lost: 0 });
  // Before they are counted, each group has shown with one message that it works.
  expect([said.length, new Set(said).size]).toEqual([2 + 3 * 2, 4]);
});

/** A server of groups in which the last member hears nothing; `asked` is called when something has been said. */
function serveDeafly(asked: () => void): Promise<number> {
  return serveGroups((members) => {
    asked();
    return members.slice(0, -1);
  });
}

test.each([
  [
    "of what is said",
    /^expected message 0 of the group group-0 within \d+ ms, got 0 of 68 bytes$/,
    (where: Visit) => new GroupLoad(where, seating(1, 2)),
  ],
  [
    "after a storm",
    /^expected a message after the storm within \d+ ms, got 0 of 68 bytes$/,
    (where: Visit) => new StormLoad(where),
  ],
])("a member that hears nothing %s is a failure", async (_, message, makeLoad) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let say = (): void => {};
  const said = new Promise<void>((resolve) => {
    say = resolve;
  });
  const load = makeLoad(visit(await serveDeafly(say), { units: 2 }));
  const result = expect(play(load)).rejects.toThrow(message);
  await said;
  vi.advanceTimersByTime(answerTimeLimit);
  await result;
});

test("a member that hears it twice is a failure", async () => {
  const port = await serveGroups((members) => [...members, ...members]);
  await expect(play(new GroupLoad(visit(port, { units: 30 }), seating(1, 3)))).rejects.toThrow(/^expected /);
});

test("the members stay from load to load, as many as each one needs", async () => {
  let arrivals = 0;
  const port = await serve({
    handshake(socket, head) {
      arrivals++;
      upgrade(socket, head);
    },
  });
  const where = visit(port);
  expect(await where.crowd.become(seating(2, 5))).toBe(0);
  expect(arrivals).toBe(10);
  await where.crowd.become(seating(3, 4));
  expect(arrivals).toBe(14);
  expect(["group-0", "group-1", "group-2", "group-3"].map((name) => where.crowd.group(name).length)).toEqual([
    4, 4, 4, 0,
  ]);
});

test("members that are lost right after their 101 are replaced and counted", async () => {
  const where = visit(await serve(closing(3)));
  expect(await where.crowd.become(seating(1, 5))).toBe(3);
  expect(where.crowd.group("group-0")).toHaveLength(5);
});

test("a ping is answered, whenever it comes", async () => {
  let found = (_: Socket): void => {};
  const member = new Promise<Socket>((resolve) => {
    found = resolve;
  });
  const pongs: string[] = [];
  const port = await serve({
    handshake(socket, head) {
      upgrade(socket, head);
      found(socket);
    },
    frames(socket, bytes) {
      for (const { code, payload } of framesIn(bytes)) {
        if (code === opcode.pong) pongs.push(payload.toString());
        else socket.write(serverFrame(opcode.pong, payload));
      }
    },
  });
  const { crowd } = visit(port);
  await crowd.become(seating(1, 1));
  const socket = await member;
  const heard = once(socket, "data");
  socket.write(serverFrame(opcode.ping, Buffer.from("still there?")));
  await heard;
  await crowd.group("group-0")[0]?.probe();
  expect(pongs).toEqual(["still there?"]);
});

test("a load among others begins when they are there", async () => {
  const paths: string[] = [];
  const port = await serve({
    handshake(socket, head) {
      paths.push(/^GET ([^?]*)/.exec(head)?.[1] ?? "");
      upgrade(socket, head);
    },
  });
  const where = visit(port, { units: 2, at: 3 });
  expect(await play(new AmongLoad(where, new HandshakeLoad(where)))).toEqual({ units: 2, lost: 0 });
  const groups = [0, 1, 2].map((number) => `/ws/group/present-${number}/`);
  expect([[...paths.slice(0, 3)].sort(), paths.slice(3)]).toEqual([groups, ["/ws/echo/", "/ws/echo/"]]);
});

test("idle users stay when others have come and gone", async () => {
  const where = visit(await serveGroups(), { at: 4 });
  expect(await play(new IdleLoad(where))).toEqual({ units: 4, lost: 0 });
  expect(where.crowd.group("present-3")).toHaveLength(1);
});

test("after a storm all are back with the tokens they had, each in its group", async () => {
  const tokens: (string | undefined)[] = [];
  const port = await serveGroups();
  const where = visit(port, { units: 25 });
  const { dialect } = where;
  const watched: Dialect = {
    ...dialect,
    target(path, token) {
      tokens.push(token);
      return dialect.target(path, token);
    },
  };
  expect(await play(new StormLoad({ ...where, dialect: watched }))).toEqual({ units: 25, lost: 0 });
  const [before, after] = [tokens.slice(0, 25).sort(), tokens.slice(25).sort()];
  expect(after).toEqual(before);
  expect(new Set(before).size).toBe(25);
});

test("under jitter members miss what is said while they are away, and nothing else", async () => {
  const outcome = await play(new JitterLoad(visit(await serveGroups(), { units: 12, at: 5 })));
  expect(outcome).toMatchObject({ lost: 0, units: expect.any(Number) });
  expect(outcome.share).toBeGreaterThan(0.5);
  expect(outcome.share).toBeLessThan(1);
});

test("a message that is left out while a member is there is a failure", async () => {
  let count = 0;
  const port = await serveGroups((members) => (++count === 3 ? [] : members));
  await expect(play(new JitterLoad(visit(port, { units: 12, at: 3 })))).rejects.toThrow(
    /^expected message \d+ of the group, as the connection was there all the time, got \d+$/,
  );
});
