import { expect, test } from "vitest";
import { clientFrame, closeFrame, closeFrameOfServer, opcode, serverFrame } from "./frame.js";

test("frames are those of RFC 6455 5.7", () => {
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  expect(clientFrame(opcode.text, Buffer.from("Hello"), mask).toString("hex")).toBe("818537fa213d7f9f4d5158");
  expect(serverFrame(opcode.text, Buffer.from("Hello")).toString("hex")).toBe("810548656c6c6f");
});

test("close frames say 1000", () => {
  expect(closeFrameOfServer.toString("hex")).toBe("880203e8");
  expect(closeFrame.toString("hex")).toBe("88820102030402ea");
});

test("a payload whose length needs more than one byte is refused", () => {
  expect(() => serverFrame(opcode.text, Buffer.alloc(126))).toThrow("expected at most 125 bytes of payload, got 126");
});
