import { describe, expect, test } from "vitest";
import { FakeWebSocket, settled } from "../../test/fake-connections.js";
import { BadMessage } from "../errors.js";
import { asApp } from "./as-app.js";
import { JsonWebsocketConsumer } from "./json-websocket-consumer.js";
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from "./standard-schema.js";

/** Answers every message with itself. */
class Echo extends JsonWebsocketConsumer {
  override receiveJson(content: unknown) {
    return this.sendJson({ got: content });
  }
}

function seenBy(client: FakeWebSocket): unknown[] {
  return client.seen.slice(1).map((text) => JSON.parse(String(text)) as unknown);
}

interface Command {
  readonly command: string;
}

function schemaOf<Output>(
  validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>,
): StandardSchemaV1<unknown, Output> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

/** Trims the command, so that the tests can tell output from input. */
function validateCommand(value: unknown): SchemaResult<Command> {
  if (typeof value === "object" && value !== null && "command" in value && typeof value.command === "string") {
    return { value: { command: value.command.trim() } };
  }
  return { issues: [{ message: "Required", path: ["data", { key: "items" }, 0] }, { message: "Not a command" }] };
}

class Commands extends JsonWebsocketConsumer<{}, {}, Command> {
  static readonly schema = schemaOf(validateCommand);
  override receiveJson(content: Command) {
    return this.sendJson({ done: content.command });
  }
}

class LateCommands extends JsonWebsocketConsumer<{}, {}, Command> {
  static readonly schema = schemaOf((value) => Promise.resolve(validateCommand(value)));
  override receiveJson(content: Command) {
    return this.sendJson({ done: content.command });
  }
}

describe("JsonWebsocketConsumer", () => {
  test("decodes what arrives and encodes what is sent", () => {
    const client = new FakeWebSocket(asApp(Echo));
    for (const text of ['{"a":[1,null]}', '"text"', "0", "null"]) client.message(text);
    expect(client.seen.slice(1)).toEqual(['{"got":{"a":[1,null]}}', '{"got":"text"}', '{"got":0}', '{"got":null}']);
  });

  test.each([
    ["bad JSON", "{", "expected JSON"],
    ["an empty message", "", "expected JSON"],
    ["a binary frame", new TextEncoder().encode("{}"), "expected JSON in a text frame, got binary"],
    ["a prototype as a key", '{"__proto__":{}}', 'expected JSON without a "__proto__" key'],
    ["a depth bomb", "[".repeat(100_000), "expected JSON of at most 100 levels"],
  ])("answers %s with an error frame and stays open", async (_name, data, message) => {
    const client = new FakeWebSocket(asApp(Echo));
    client.message(data);
    client.message('"next"');
    await settled();
    expect(seenBy(client)).toEqual([{ type: "error", code: "bad_message", message }, { got: "next" }]);
    expect(client.log.errors).toEqual([]);
    expect(client.running).toBe(true);
  });

  test.each([
    ["synchronous", Commands],
    ["asynchronous", LateCommands],
  ])("hands on what a %s schema makes of a message", async (_name, consumer) => {
    const client = new FakeWebSocket(asApp(consumer));
    client.message('{"command":" go "}');
    client.message('{"command":1}');
    client.message('{"command":"stop"}');
    await settled();
    expect(seenBy(client)).toEqual([
      { done: "go" },
      { type: "error", code: "bad_message", message: "data.items.0: Required; Not a command" },
      { done: "stop" },
    ]);
  });

  test("tells receiveError what went wrong, which may close the connection", async () => {
    const errors: BadMessage[] = [];
    class Strict extends Commands {
      override receiveError(error: BadMessage) {
        errors.push(error);
        return this.close(4400, "bad message");
      }
    }
    const client = new FakeWebSocket(asApp(Strict));
    client.message("{}");
    client.message('{"command":"too late"}');
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 4400 bad message"]);
    expect(errors).toEqual([expect.any(BadMessage)]);
    expect(errors[0]).toMatchObject({
      code: "bad_message",
      issues: [
        { path: "data.items.0", message: "Required" },
        { path: "", message: "Not a command" },
      ],
    });
  });

  test("tells of a few mistakes out of many", () => {
    const issues: SchemaIssue[] = Array.from({ length: 10_000 }, (_, index) => ({ message: "bad", path: [index] }));
    class Picky extends JsonWebsocketConsumer {
      static readonly schema = schemaOf(() => ({ issues }));
    }
    const client = new FakeWebSocket(asApp(Picky));
    client.message("[]");
    expect(seenBy(client)).toEqual([expect.objectContaining({ message: "0: bad; 1: bad; 2: bad; 3: bad; 4: bad" })]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("schema");
      },
    ],
    ["rejects", () => Promise.reject(new Error("schema"))],
  ])("whose schema %s has failed itself, not its client", async (_name, validate) => {
    class Broken extends JsonWebsocketConsumer {
      static readonly schema = schemaOf(validate);
    }
    const client = new FakeWebSocket(asApp(Broken));
    client.message("{}");
    await settled();
    expect(client.seen).toEqual(["accepted", "closed 1011 internal error"]);
    expect(client.log.errors).toEqual([expect.objectContaining({ message: "schema" })]);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => {}],
    ["a big integer", 1n],
    ["a cycle", cycle()],
  ])("cannot send %s: a TypeError in the application", async (_name, content) => {
    const caught: unknown[] = [];
    class Sending extends JsonWebsocketConsumer {
      override receiveJson() {
        try {
          return this.sendJson(content);
        } catch (error) {
          caught.push(error);
          return this.sendJson("caught");
        }
      }
    }
    const client = new FakeWebSocket(asApp(Sending));
    client.message("{}");
    await settled();
    expect(caught).toEqual([expect.any(TypeError)]);
    expect(seenBy(client)).toEqual(["caught"]);
  });

  test("closes after a message if it is told to", async () => {
    class Farewell extends JsonWebsocketConsumer {
      override receiveJson() {
        return this.sendJson({ bye: true }, { close: 4401 });
      }
    }
    const client = new FakeWebSocket(asApp(Farewell));
    client.message("{}");
    await settled();
    expect(client.seen).toEqual(["accepted", '{"bye":true}', "closed 4401"]);
  });

  test("speaks another dialect with its own encodeJson and decodeJson", () => {
    class Lines extends Echo {
      override decodeJson(text: string): unknown {
        if (text === "") throw new Error("nothing in it");
        return text.split("|");
      }
      override encodeJson(content: unknown): string {
        return `${super.encodeJson(content)}\n`;
      }
    }
    const client = new FakeWebSocket(asApp(Lines));
    client.message("a|b");
    client.message("");
    expect(client.seen.slice(1)).toEqual([
      '{"got":["a","b"]}\n',
      '{"type":"error","code":"bad_message","message":"expected JSON"}\n',
    ]);
  });

  test("keeps why its own decodeJson refused a message", () => {
    const errors: BadMessage[] = [];
    const [mine, other] = [new BadMessage("expected a verb"), new Error("decoder")];
    class Own extends JsonWebsocketConsumer {
      override decodeJson(text: string): unknown {
        throw text === "mine" ? mine : other;
      }
      override receiveError(error: BadMessage) {
        errors.push(error);
      }
    }
    const client = new FakeWebSocket(asApp(Own));
    client.message("mine");
    client.message("other");
    expect(errors[0]).toBe(mine);
    expect(errors[1]).toMatchObject({ message: "expected JSON", cause: other });
  });

  test("ignores what arrives if it does not say what to do with it", () => {
    class Deaf extends JsonWebsocketConsumer {}
    const client = new FakeWebSocket(asApp(Deaf));
    client.message("{}");
    expect(client.seen).toEqual(["accepted"]);
  });
});

function cycle(): object {
  const content: { self?: object } = {};
  content.self = content;
  return content;
}
