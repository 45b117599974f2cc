import { describe, expect, it } from "vitest";
import type { App, Receive, Scope } from "../app.js";
import { RouteNotFound } from "../errors.js";
import { ChannelNameRouter } from "./channel-name-router.js";

const receive: Receive<"channel"> = Object.assign(() => Promise.reject(new Error("not asked")), {
  pipe: () => Promise.reject(new Error("not asked")),
});
const send = (): void => {};
const never: App<"channel"> = () => {
  throw new Error("should not run");
};

function from(channel: string): Scope<"channel"> {
  return { type: "channel", channel };
}

describe("ChannelNameRouter", () => {
  it("hands a message with all it has to the application for its channel", () => {
    const scope = from("work");
    const done = Promise.resolve();
    const app: App<"channel"> = (...given) => {
      expect(given).toEqual([scope, receive, send]);
      expect(given[0]).toBe(scope);
      return done;
    };
    expect(ChannelNameRouter({ other: never, work: app })(scope, receive, send)).toBe(done);
  });

  it.each(["unknown", "toString", "__proto__"])("has no route for a channel without an application: %s", (channel) => {
    expect(() => ChannelNameRouter({ work: never, other: never })(from(channel), receive, send)).toThrow(
      new RouteNotFound(
        `expected a message of the channel work or other, got one of "${channel}": give ChannelNameRouter an application for it`,
      ),
    );
    expect(() => ChannelNameRouter({})(from(channel), receive, send)).toThrow(
      "expected a message of no channel, got one of",
    );
  });
});
