import { beforeEach, expect, it } from "vitest";
import { request, start, talk, telling } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";

beforeEach(skipWithoutBinary);

const size = telling(({ headers }) => headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0));
const cookie = (bytes: number): string => request([`Cookie: ${"c".repeat(bytes)}`, "Connection: close"]);

it("takes header lines up to limits.maxHeaderSize, though the native side would stop at 4 KiB", async () => {
  const { port } = await start({ http: size });
  expect((await talk(port, cookie(16_000))).join("")).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n160\d\d$/s);
});

it("leaves it to the session to refuse what is somewhat larger, and refuses what is far larger", async () => {
  const { port } = await start({ http: size });
  const own = (await talk(port, cookie(17_000))).join("");
  expect(own).toMatch(/^HTTP\/1\.1 431 /);
  expect(own).not.toContain("<h1>");
  expect((await talk(port, cookie(30_000))).join("")).toMatch(/^HTTP\/1\.1 431 .*<h1>/s);
});

it("takes 98 header lines, and answers 431 to more", async () => {
  const { port } = await start({ http: telling(({ headers }) => headers.length) });
  const lines = (count: number): string => request([...Array<string>(count - 2).fill("X: y"), "Connection: close"]);
  expect((await talk(port, lines(98))).join("")).toMatch(/\r\n\r\n98$/);
  expect((await talk(port, lines(99))).join("")).toMatch(/^HTTP\/1\.1 431 /);
});
