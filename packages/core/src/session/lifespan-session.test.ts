import { describe, expect, it } from "vitest";
import type { App } from "../app.js";
import { ProtocolError } from "../errors.js";
import { LifespanSession } from "./lifespan-session.js";

describe("LifespanSession", () => {
  it("starts up, keeps the state, and shuts down", async () => {
    const trace: string[] = [];
    const app: App<"lifespan"> = async (scope, receive, send) => {
      trace.push((await receive()).type);
      scope.state.pool = "open";
      await send({ type: "lifespan.startup.complete" });
      trace.push((await receive()).type);
      await send({ type: "lifespan.shutdown.complete" });
    };
    const session = new LifespanSession();
    await session.startup(app);
    expect([trace, session.state]).toEqual([["lifespan.startup"], { pool: "open" }]);
    await session.shutdown();
    expect(trace).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  });

  it("takes a return without an answer for an application that does not care", async () => {
    const session = new LifespanSession();
    await session.startup(() => {});
    await session.shutdown();
  });

  it("rejects the start with what the application throws or says", async () => {
    await expect(
      new LifespanSession().startup(() => {
        throw new Error("no database");
      }),
    ).rejects.toThrow("no database");
    await expect(
      new LifespanSession().startup((_scope, _receive, send) =>
        send({ type: "lifespan.startup.failed", message: "no disk" }),
      ),
    ).rejects.toThrow("no disk");
  });

  it("rejects the shutdown with what goes wrong in it", async () => {
    const session = new LifespanSession();
    await session.startup(async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      throw new Error("disk full");
    });
    await expect(session.shutdown()).rejects.toThrow("disk full");
  });

  it("remembers what the application failed with in between", async () => {
    const session = new LifespanSession();
    let fail: (error: Error) => void = () => {};
    await session.startup(async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await new Promise((_resolve, reject) => {
        fail = reject;
      });
    });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    fail(new Error("pool lost"));
    await turn();
    await expect(session.shutdown()).rejects.toThrow("pool lost");
  });

  it("refuses an answer to what was not asked", async () => {
    await expect(
      new LifespanSession().startup((_scope, _receive, send) => send({ type: "lifespan.shutdown.complete" })),
    ).rejects.toThrow(
      new ProtocolError('expected "lifespan.startup.complete" or ".failed", got "lifespan.shutdown.complete"'),
    );
  });
});
