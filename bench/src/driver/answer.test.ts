import { expect, test } from "vitest";
import { ExactAnswer, HeadAnswer, type ResponseHead } from "./answer.js";

const expected = Buffer.from("onetwotri");

function exact(): ExactAnswer {
  return new ExactAnswer("the echo", expected, 3);
}

test("bytes may come in any pieces", () => {
  const answer = exact();
  const pieces = ["on", "etwot", "ri"].map((piece) => answer.take(Buffer.from(piece)));
  expect(pieces).toEqual([false, false, true]);
});

test("a wrong byte is reported with its part, as expected and as it came", () => {
  const answer = exact();
  answer.take(Buffer.from("onet"));
  expect(() => answer.take(Buffer.from("woxri"))).toThrow('expected the echo, number 3 being "tri", got "xri"');
  const split = exact();
  split.take(Buffer.from("onetw"));
  expect(() => split.take(Buffer.from("i"))).toThrow('expected the echo, number 2 being "two", got "twi"');
});

test("more bytes than expected are wrong", () => {
  expect(() => exact().take(Buffer.from("onetwotri!"))).toThrow("expected the echo and nothing more, got 1 bytes more");
});

test("it can say how far it has come", () => {
  const answer = exact();
  answer.take(Buffer.from("onet"));
  expect(answer.soFar()).toBe("4 of 9 bytes");
});

function headOf(pieces: readonly string[]): ResponseHead | undefined {
  let found: ResponseHead | undefined;
  const answer = new HeadAnswer("a head", (head) => {
    found = head;
  });
  for (const piece of pieces) {
    expect(found).toBeUndefined();
    answer.take(Buffer.from(piece));
  }
  return found;
}

test("a head is complete at its empty line, wherever it was cut", () => {
  const head = headOf(["HTTP/1.1 200 O", "K\r\nContent-Length: 2\r", "\n\r\nhi"]);
  expect(head).toEqual({
    statusLine: "HTTP/1.1 200 OK",
    headers: new Map([["content-length", "2"]]),
    rest: "hi",
  });
});

test("a head without an end is not waited for for ever", () => {
  const answer = new HeadAnswer("a head", () => {
    throw new Error("what is this?");
  });
  expect(answer.take(Buffer.alloc(16_383, "x"))).toBe(false);
  expect(() => answer.take(Buffer.from("x"))).toThrow("what is this?");
});
