import { expect, test } from "vitest";
import { clientFrame, closeFrame, closeFrameOfServer, opcode, serverFrame } from "./frame.js";

const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

test("frames are those of RFC 6455 5.7", () => {
  expect(clientFrame(opcode.text, Buffer.from("Hello"), mask).toString("hex")).toBe("818537fa213d7f9f4d5158");
  expect(serverFrame(opcode.text, Buffer.from("Hello")).toString("hex")).toBe("810548656c6c6f");
  expect(serverFrame(opcode.binary, Buffer.alloc(256)).toString("hex", 0, 4)).toBe("827e0100");
  expect(serverFrame(opcode.binary, Buffer.alloc(65_536)).toString("hex", 0, 10)).toBe("827f0000000000010000");
});

test("close frames say 1000", () => {
  expect(closeFrameOfServer.toString("hex")).toBe("880203e8");
  expect(closeFrame.toString("hex")).toBe("88820102030402ea");
});

test.each([
  [125, "fd"],
  [126, "fe007e"],
  [65_535, "feffff"],
  [65_536, "ff0000000000010000"],
])("a masked payload of %d bytes has the shortest length that holds it", (length, hex) => {
  const frame = clientFrame(opcode.binary, Buffer.alloc(length), mask);
  expect(frame.toString("hex", 1, frame.length - length - 4)).toBe(hex);
  expect(frame.subarray(-length - 4, -length)).toEqual(mask);
  expect(frame.subarray(-length).every((byte, index) => byte === mask[index % 4])).toBe(true);
});
