import { asApp } from "../src/consumers/as-app.js";
import { WebsocketConsumer } from "../src/consumers/websocket-consumer.js";
import type { Middleware } from "../src/middleware.js";
import { FakeWebSocket } from "./fake-connections.js";

/** Of the client that was opened last. */
let current: string[] = [];

/** Writes down what is called on it. */
export abstract class Recorder extends WebsocketConsumer {
  readonly calls: string[] = current;
  override receive(data: string | Uint8Array): void | Promise<void> {
    this.calls.push(typeof data === "string" ? `receive ${data}` : `receive ${data.byteLength} bytes`);
  }
  override disconnect(code: number, reason: string): void | Promise<void> {
    this.calls.push(`disconnect ${code} ${reason}`.trim());
  }
}

/** A client of a recorder, with what was called on that. */
export type RecordedWebSocket = FakeWebSocket & { readonly calls: readonly string[] };

export function open(
  consumer: new (context: never) => WebsocketConsumer,
  around: Middleware = (inner) => inner,
): RecordedWebSocket {
  const calls: string[] = [];
  current = calls;
  return Object.assign(new FakeWebSocket(around(asApp(consumer as new (context: never) => Recorder))), { calls });
}

/** A consumer's protected methods, laid open to the callbacks of a test. */
export interface Opened {
  accept(): void | Promise<void>;
  send(data: string, options?: { close?: number | boolean }): void | Promise<void>;
  close(code?: number, reason?: string): void | Promise<void>;
}

abstract class OpenRecorder extends Recorder {
  opened(): Opened {
    return {
      accept: () => this.accept(),
      send: (data, options) => this.send(data, options),
      close: (code, reason) => this.close(code, reason),
    };
  }
}

/** A consumer that does this to connect. */
export function connecting(connect: (consumer: Opened) => void | Promise<void>): new (context: never) => Recorder {
  return class extends OpenRecorder {
    override connect() {
      return connect(this.opened());
    }
  };
}

/** A consumer that does this when a message comes. */
export function receiving(receive: (consumer: Opened) => void | Promise<void>): new (context: never) => Recorder {
  return class extends OpenRecorder {
    override receive() {
      this.calls.push("received");
      return receive(this.opened());
    }
  };
}
