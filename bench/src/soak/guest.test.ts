import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { opcode, serverFrame } from "../driver/frame.js";
import { Guest, LostAfterUpgrade } from "./guest.js";

const text = (words: string): Buffer => serverFrame(opcode.text, Buffer.from(words));
const upgraded = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

/** A guest in room 3 of a server that answers with one thing after the other, whatever it is sent. */
async function guestOf(...answers: ((socket: Socket) => unknown)[]): Promise<Guest> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => answers.shift()?.(socket));
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new Guest((server.address() as AddressInfo).port, 3);
}

const welcoming = (socket: Socket): unknown =>
  socket.write(Buffer.concat([Buffer.from(upgraded), text("welcome"), text("3:hello from another")]));
const sending =
  (...frames: Buffer[]) =>
  (socket: Socket): unknown =>
    socket.write(Buffer.concat(frames));

test("what it says has to come back; what others say in its room may come before", async () => {
  const guest = await guestOf(welcoming, sending(text("3:another"), text("3:hi")));
  await guest.join();
  await expect(guest.say("say ", "hi")).resolves.toBeUndefined();
});

test("what is said in another room is a fault", async () => {
  const guest = await guestOf(welcoming, sending(text("33:hi")));
  await guest.join();
  const message = 'expected nothing but what is said in room 3, got "33:hi"';
  await expect(guest.say("say ", "hi")).rejects.toThrow(message);
  await expect(guest.end()).rejects.toThrow(message);
});

test("an end without what it waits for is told with its code", async () => {
  const guest = await guestOf(welcoming, sending(serverFrame(opcode.close, Buffer.from([0x03, 0xf3]))), (socket) =>
    socket.end(),
  );
  await guest.join();
  await expect(guest.say("say ", "hi")).rejects.toThrow('expected "3:hi" to come back, got the end (1011)');
  expect(await guest.end()).toEqual({ code: 1011, fault: undefined });
});

test("a close frame that is not answered in kind is a fault", async () => {
  const guest = await guestOf(welcoming, sending(serverFrame(opcode.close, Buffer.from([0x03, 0xe9]))));
  await guest.join();
  await expect(guest.leave()).rejects.toThrow("expected 1000 in return for a close frame with 1000, got 1001");
});

test("a WebSocket that ends right after its 101 is lost, any other answer is a fault", async () => {
  const lost = await guestOf((socket) => socket.end(upgraded));
  await expect(lost.join()).rejects.toThrow(LostAfterUpgrade);
  const refused = await guestOf((socket) => socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
  await expect(refused.join()).rejects.toThrow('expected a 101, got "HTTP/1.1 503 Service Unavailable"');
});

test("what is held back is waited for, all of it", async () => {
  const binary = serverFrame(2, Buffer.alloc(100));
  const guest = await guestOf(
    welcoming,
    sending(binary, binary),
    sending(serverFrame(opcode.close, Buffer.from([0x03, 0xe8]))),
  );
  await guest.join();
  guest.stopReading();
  guest.command("flood ");
  await expect(guest.leaveAfter(200)).resolves.toBeUndefined();
});

test("a refusal is told by its status", async () => {
  const guest = await guestOf((socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
  expect(await guest.refusal("/ws/denied/")).toBe("403");
});
