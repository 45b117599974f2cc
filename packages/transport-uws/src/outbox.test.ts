import { createGuard, type ProtocolServer, type RequestHead, silentLogger, systemClock } from "@sluice/core";
import { expect, test, vi } from "vitest";
import type { NativeResponse, NativeWebSocket, UpgradeContext } from "./native.js";
import { Outbox } from "./outbox.js";
import { type UserData, WebSocketConnection } from "./websocket.js";

const guard = createGuard(silentLogger);
const settings = { maxBackpressure: 1024, compression: false, clock: systemClock, guard, outbox: new Outbox(guard) };
const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer;

/**
 * A connection on a native side that writes down what it is told. Of what it sends, `takes` says whether the system does;
 * `waiting` is how much of it waits.
 */
function connect(
  takes: () => boolean = () => true,
  hear: (connection: WebSocketConnection) => void = () => {},
  waiting = 0,
) {
  const told: string[] = [];
  const socket: NativeWebSocket<UserData> = {
    getUserData: () => ({ connection }),
    getBufferedAmount: () => waiting,
    send: (data) => {
      told.push(data.toString());
      return takes() ? 1 : 0;
    },
    cork: (sends) => {
      told.push("(");
      sends();
      told.push(")");
    },
    end: (code) => void told.push(`end ${code}`),
    close: () => void told.push("cut"),
  };
  const session = { fellBehind: vi.fn(), closed: () => {}, message: () => hear(connection) };
  const upgrade = { key: "", context: {} as UpgradeContext, extensions: "" };
  const connection = new WebSocketConnection(
    { onAborted: () => {} } as never as NativeResponse,
    upgrade,
    settings,
    false,
  );
  connection.open({ openWebSocket: () => session } as never as ProtocolServer, {} as RequestHead);
  connection.opened(socket);
  return { connection, told, session };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is written to one client in a turn of the event loop goes out together, in its order", async () => {
  const one = connect();
  const other = connect();
  for (const text of ["a", "b", "c"]) expect(one.connection.write(text)).toBe("ok");
  other.connection.write("d");
  expect([...one.told, ...other.told]).toEqual([]);
  await turn();
  expect(one.told).toEqual(["(", "a", "b", "c", ")"]);
  expect(other.told).toEqual(["d"]);
  one.connection.write("e");
  await turn();
  expect(one.told.slice(5)).toEqual(["e"]);
  expect(one.session.fellBehind).not.toHaveBeenCalled();
});

test("what answers a message goes out at once, as the native side gathers it: behind what was written before", async () => {
  const { connection, told } = connect(undefined, (it) => {
    it.write("b");
    it.write("c");
  });
  connection.message(bytes("x"), false);
  expect(told).toEqual(["b", "c"]);
  connection.write("a");
  connection.message(bytes("x"), false);
  expect(told).toEqual(["b", "c"]);
  await turn();
  expect(told.slice(2)).toEqual(["(", "a", "b", "c", ")"]);
});

test.each([
  ["bytes", new Uint8Array([1, 2])],
  ["a Buffer", Buffer.from([1, 2])],
])("%s go out as they were when they were written", async (_what, data) => {
  const { connection, told } = connect();
  connection.write(data);
  data.fill(9);
  await turn();
  expect(told).toEqual(["1,2"]);
});

test("a close frame stands behind all of it", async () => {
  const { connection, told } = connect();
  connection.write("a");
  connection.close(1000, "");
  expect(told).toEqual(["a", "end 1000"]);
  await turn();
  expect(told).toHaveLength(2);
});

test("what is long does not wait, and a client that does not take it is behind from then on", async () => {
  let takes = true;
  const { connection, told, session } = connect(() => takes);
  const long = "x".repeat(9_000);
  expect(connection.write(long)).toBe("ok");
  expect(connection.write(long)).toBe("ok");
  expect(told).toEqual(["(", long, long, ")"]);
  takes = false;
  expect(connection.write(long)).toBe("ok");
  expect(connection.write(long)).toBe("buffered");
  expect(connection.write("a")).toBe("buffered");
  expect(connection.write(long)).toBe("dropped");
  await turn();
  expect(told.at(-1)).toBe("a");
  expect(session.fellBehind).toHaveBeenCalled();
});

test("the session hears of a client that turns out to be behind only when the turn is over", async () => {
  const { connection, session } = connect(() => false);
  expect(connection.write("a")).toBe("ok");
  expect(session.fellBehind).not.toHaveBeenCalled();
  await turn();
  expect(session.fellBehind).toHaveBeenCalledTimes(1);
});

test("a client that does not take what was gathered for it is behind, and gets no close frame until it has caught up", async () => {
  // Within a cork the native side says of everything that it is sent.
  const { connection, told, session } = connect(undefined, undefined, 2);
  connection.write("a");
  connection.write("b");
  await turn();
  expect(session.fellBehind).toHaveBeenCalledTimes(1);
  expect(connection.write("c")).toBe("buffered");
  connection.close(1000, "");
  expect(told).toEqual(["(", "a", "b", ")", "c"]);
  connection.closed(1006, bytes(""));
});

test("nothing is written to a client that has gone before the turn was over", async () => {
  const { connection, told } = connect();
  connection.write("a");
  connection.write("b");
  connection.closed(1006, bytes(""));
  await turn();
  expect(told).toEqual([]);
});
