import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { request, start, talk, telling } from "../test/site.js";
import { skipWithoutBinary } from "../test/skip-without-binary.js";

beforeEach(skipWithoutBinary);

const only = request(["Connection: close"]);
const bodyOf = (segments: readonly string[]): unknown => JSON.parse(segments.join("").split("\r\n\r\n")[1] ?? "");

describe("a Unix socket", () => {
  const newPath = (): string => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    return join(directory, "server.sock");
  };

  it("is removed at the end, even if it has been given another mode", async () => {
    const unix = newPath();
    const server = await start({}, { unix });
    chmodSync(unix, 0o666);
    await server.close();
    expect(existsSync(unix)).toBe(false);
  });

  it("leaves the file of its successor alone", async () => {
    const unix = newPath();
    const first = await start({}, { unix });
    rmSync(unix);
    await start({ http: telling(() => "successor") }, { unix });
    await first.close();
    expect(bodyOf(await talk(unix, only))).toBe("successor");
  });

  it("in a directory that is none is refused with the system's reason", async () => {
    const unix = join(newPath(), "x.sock");
    // What libuv makes of the system's ENOENT.
    await expect(start({}, { unix })).rejects.toMatchObject({ code: "EACCES" });
  });
});

describe("a shared port", () => {
  it("gives both servers connections", async () => {
    const first = await start({ http: telling(() => "first") }, { sharedPort: true });
    const second = await start({ http: telling(() => "second") }, { sharedPort: true, port: first.port });
    expect(second.port).toBe(first.port);
    const answers = new Set<unknown>();
    // The system spreads connections by a hash: that one of two gets none of 64 is not to be expected.
    for (let count = 0; count < 64; count += 1) answers.add(bodyOf(await talk(first.port, only)));
    expect([...answers].sort()).toEqual(["first", "second"]);
  });

  it.each([
    [false, true],
    [true, false],
    [false, false],
  ])("is shared only by who asks for it (%s, %s)", async (first, second) => {
    const { port } = await start({}, { sharedPort: first });
    await expect(start({}, { sharedPort: second, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
