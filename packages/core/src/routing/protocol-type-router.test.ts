import { describe, expect, it } from "vitest";
import type { App, Receive, ReceiveEvent, Scope, SendEvent } from "../app.js";
import { RouteNotFound } from "../errors.js";
import { ProtocolTypeRouter } from "./protocol-type-router.js";

const receive: Receive<"lifespan"> = Object.assign(() => Promise.reject(new Error("pushes only")), {
  async pipe(sink: (event: ReceiveEvent<"lifespan">) => unknown) {
    await sink({ type: "lifespan.startup" });
    await sink({ type: "lifespan.shutdown" });
  },
});

const lifespan: Scope<"lifespan"> = { type: "lifespan", state: {} };

/** Only the type decides. */
function connection(type: "http" | "websocket" | "channel"): Scope {
  return { type } as Scope;
}

const never: App = () => {
  throw new Error("should not run");
};

describe("ProtocolTypeRouter", () => {
  it.each(["http", "websocket", "channel", "lifespan"] as const)(
    "hands %s with all it has to its application",
    async (type) => {
      const scope = type === "lifespan" ? lifespan : connection(type);
      const send = (): void => {};
      const done = Promise.resolve();
      const app: App = (...given) => {
        expect(given).toEqual([scope, receive, send]);
        expect(given[0]).toBe(scope);
        return done;
      };
      const router = ProtocolTypeRouter({
        http: never,
        websocket: never,
        channel: never,
        lifespan: never,
        [type]: app,
      });
      expect(router(scope, receive, send)).toBe(done);
    },
  );

  it("has no route for a protocol without an application", () => {
    expect(() =>
      ProtocolTypeRouter({ http: never, lifespan: never })(connection("websocket"), receive, () => {}),
    ).toThrow(
      new RouteNotFound("expected http or lifespan, got websocket: give ProtocolTypeRouter an application for it"),
    );
    expect(() => ProtocolTypeRouter({})(connection("http"), receive, () => {})).toThrow(
      new RouteNotFound("expected no connections, got http: give ProtocolTypeRouter an application for it"),
    );
  });

  it("completes start-up and shutdown for applications that do not care", async () => {
    const sent: SendEvent<"lifespan">[] = [];
    await ProtocolTypeRouter({ http: never })(lifespan, receive, (event) => {
      sent.push(event as SendEvent<"lifespan">);
    });
    expect(sent).toEqual([{ type: "lifespan.startup.complete" }, { type: "lifespan.shutdown.complete" }]);
  });
});
