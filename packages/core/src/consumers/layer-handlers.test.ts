import { describe, expect, test } from "vitest";
import { KeptLog } from "../../test/fake-connections.js";
import { ConfigurationError } from "../errors.js";
import { Consumer } from "./consumer.js";
import { HttpConsumer } from "./http-consumer.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import { handlerName } from "./layer-events.js";
import { LayerHandlers } from "./layer-handlers.js";
import { WebsocketConsumer } from "./websocket-consumer.js";

describe("handlerName", () => {
  test.each([
    ["chat.message", "chatMessage"],
    ["user_left", "user_left"],
    ["a.b.c", "aBC"],
    ["chat.user_left", "chatUser_left"],
    ["ping", "ping"],
    ["chat.messageSent", "chatMessageSent"],
  ])("%s is handled by %s", (type, name) => {
    expect(handlerName(type)).toBe(name);
  });
});

class Chat {
  static readonly handlers: readonly string[] = ["chat.message"];
  readonly got: unknown[] = [];
  chatMessage(message: unknown): void {
    this.got.push(message);
  }
  chatSecret(): never {
    throw new Error("called without being listed");
  }
  _private(): never {
    throw new Error("called without being listed");
  }
}

describe("LayerHandlers", () => {
  test("calls the method of a listed type with the message", () => {
    const chat = new Chat();
    const message = { type: "chat.message", text: "hi" };
    expect(new LayerHandlers(Chat, new KeptLog()).dispatch(chat, message)).toBeUndefined();
    expect(chat.got).toEqual([message]);
  });

  test("returns what the method returns", async () => {
    class Slow {
      static readonly handlers = ["slow"];
      slow = "a field of this name is not the method";
    }
    Object.defineProperty(Slow.prototype, "slow", { value: () => Promise.reject(new Error("bug")) });
    await expect(new LayerHandlers(Slow, new KeptLog()).dispatch(new Slow(), { type: "slow" })).rejects.toThrow("bug");
  });

  test("calls no method that is not listed, logs the message and counts it", () => {
    const log = new KeptLog();
    const handlers = new LayerHandlers(Chat, log);
    const types = [
      "chat.secret",
      "chatMessage",
      "_private",
      ".chat.message",
      "constructor",
      "__proto__",
      "toString",
      "",
    ];
    for (const type of types) expect(handlers.dispatch(new Chat(), { type })).toBeUndefined();
    expect(log.warnings).toEqual(types.map((type, index) => ({ consumer: "Chat", type, unhandled: index + 1 })));
  });

  test.each([
    [["missing"], 'a method for, got "missing" and no method missing()'],
    [["got"], "no method got()"],
    [["chat.message", "chatMessage"], 'one type per method, got a second one for chatMessage: "chatMessage"'],
    [["_private"], 'got "_private"'],
    [[".chat.message"], 'got ".chat.message"'],
    [["chat..message"], 'got "chat..message"'],
    [["chat._secret"], 'got "chat._secret"'],
    [["chat-message"], 'got "chat-message"'],
    [[""], 'got ""'],
    [["to.string"], 'not to list "to.string": the method toString'],
    [["constructor"], 'not to list "constructor"'],
    [["send.json"], 'not to list "send.json": the method sendJson'],
    [["disconnect"], 'not to list "disconnect"'],
  ])("cannot be made of handlers %j", (listed, problem) => {
    class Odd extends Chat {
      static override readonly handlers = listed;
      sendJson(): void {}
      disconnect(): void {}
    }
    const make = (): LayerHandlers => new LayerHandlers(Odd, new KeptLog());
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(problem);
    expect(make).toThrow("expected Odd.handlers");
  });

  test("cannot be made with any method of the library's own classes", () => {
    const abstract = ["handle"];
    const own = [Consumer, WebsocketConsumer, JsonWebsocketConsumer, HttpConsumer].flatMap(({ prototype }) =>
      Object.getOwnPropertyNames(prototype),
    );
    expect(own).toContain("receiveJson");
    for (const name of [...own, ...abstract]) {
      const overriding = { name: "Overriding", prototype: { [name]: () => {} }, handlers: [name] };
      expect(() => new LayerHandlers(overriding, new KeptLog()), name).toThrow(`not to list "${name}"`);
    }
  });
});
