import { expect, test } from "vitest";
import { judge } from "./fuzz-judge.js";
import { request } from "./request-text.js";

const judgement = { lacks: {}, body: "ok" };
const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

/** What is said of two answers, the first of them without a body, to these two requests. */
function verdict(first: string, second: string) {
  const bytes = Buffer.from(request(first, "/") + request(second, "/"));
  const sent = { title: "", bytes, cuts: [], waitsAfter: undefined, deserves: undefined, mayBeCut: false } as const;
  return judge({ ...sent, end: "close" }, Buffer.from(`${head}${head}ok`), judgement);
}

test.each(["HEAD", "HeAD"])("the answer to %s has no body", (method) => {
  expect(verdict(method, "GET")).toEqual({ got: "answer" });
});

test("an answer that lacks its body is a fault", () => {
  expect(verdict("GET", "GET").fault).toBe('expected the application\'s body, got "HT"');
});
