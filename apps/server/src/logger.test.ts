import { expect, it } from "vitest";
import { createLogger } from "./logger.js";

/** What the lines of one logger look like. */
function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let output = "";
  log(createLogger({ LOG_LEVEL: "info" }, { write: (line) => (output += line) }));
  return output;
}

it.each(["password", "token", "authorization", "cookie", "sec-websocket-protocol", "queryString"])(
  "keeps the value of %s out of a line, and out of two levels below it",
  (name) => {
    const secret = { [name]: "s3cret" };
    const output = written((logger) => {
      logger.info({ ...secret, request: { ...secret, headers: { ...secret } }, list: [secret] }, "a line");
      logger.info(secret, "alone");
      logger.error({ err: Object.assign(new Error("with more"), { ...secret, config: secret }) }, "an error");
      logger.child({ part: secret }).info({ request: { headers: secret, other: 1 } }, "of a child");
    });
    expect(output).not.toContain("s3cret");
    expect(output.match(/\[redacted\]/g)).toHaveLength(9);
    expect(output.trim().split("\n")).toHaveLength(4);
    expect(output).toContain('"other":1');
  },
);

it("says when a line was written, in milliseconds that know no time zone", () => {
  const before = Date.now();
  const { time } = JSON.parse(written((logger) => logger.info("a line")));
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});
