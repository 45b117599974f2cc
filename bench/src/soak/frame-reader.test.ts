import { expect, test } from "vitest";
import { serverFrame } from "../driver/frame.js";
import { FrameReader } from "./frame-reader.js";

function readerOf(): { readonly reader: FrameReader; readonly got: [number, string][] } {
  const got: [number, string][] = [];
  return { got, reader: new FrameReader((opcode, payload) => got.push([opcode, payload.toString()])) };
}

const long = (head: readonly number[], length: number): Buffer =>
  Buffer.concat([Buffer.from(head), Buffer.alloc(length, "x")]);

test("frames of every length come out whole, however they are cut", () => {
  const bytes = Buffer.concat([
    serverFrame(1, Buffer.from("héllo")),
    serverFrame(9, Buffer.alloc(0)),
    long([0x82, 126, 0x01, 0x2c], 300),
    long([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
    serverFrame(8, Buffer.from([0x03, 0xe8])),
  ]);
  const whole = readerOf();
  whole.reader.take(bytes);
  expect(whole.got.map(([opcode, text]) => [opcode, text.length])).toEqual([
    [1, 5],
    [9, 0],
    [2, 300],
    [1, 65_536],
    [8, 2],
  ]);
  const cut = readerOf();
  for (let at = 0; at < bytes.length; at += 7) cut.reader.take(bytes.subarray(at, at + 7));
  expect(cut.got).toEqual(whole.got);
});

test.each([
  ["a fragment", "0100"],
  ["a reserved bit", "c100"],
  ["a payload that is far too long", "817f0000000100000000"],
])("%s is not expected", (_, hex) => {
  expect(() => readerOf().reader.take(Buffer.from(hex, "hex"))).toThrow(`got ${hex}`);
});
