/** The visits that are no WebSockets. By `node:http`, as `fetch` gives up on a connection earlier than the others do. */
import { type IncomingMessage, request as open, type RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import type { Visit } from "./visit.js";
import { patience } from "./within.js";
import { eventsPath, prefixOf, welcome } from "./words.js";

/** Asks for what there is, for what fails and for what there is not. */
export async function request({ port, name }: Visit): Promise<void> {
  await ask(port, "/echo/", 200, name.repeat(100));
  await ask(port, "/broken/", 500);
  await ask(port, "/nowhere/", 404);
}

async function ask(port: number, path: string, status: number, body?: string): Promise<void> {
  const signal = AbortSignal.timeout(patience);
  const response = await respond(port, path, { signal, method: body === undefined ? "GET" : "POST" }, body);
  const got = await text(response);
  if (response.statusCode !== status) throw new Error(`expected ${status} for ${path}, got ${response.statusCode}`);
  if (body !== undefined && got !== body) throw new Error(`expected ${path} to send back what it got, got "${got}"`);
}

function respond(port: number, path: string, options: RequestOptions, body = ""): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    open({ ...options, host: "127.0.0.1", port, path }, resolve)
      .on("error", reject)
      .end(body);
  });
}

/** Follows a room's server-sent events until it cuts the connection. */
export async function hear({ port, room, random, pauses, pace, arrived }: Visit): Promise<void> {
  const leaving = new AbortController();
  const begun = setTimeout(() => leaving.abort(new Error(`expected events within ${patience} ms`)), patience);
  try {
    const response = await respond(port, eventsPath(room), { signal: leaving.signal });
    if (response.statusCode !== 200) throw new Error(`expected events, got ${response.statusCode}`);
    const events = eventsOf(response);
    const { value: first } = await events.next();
    clearTimeout(begun);
    if (first !== welcome) throw new Error(`expected "${welcome}" as the first event, got ${JSON.stringify(first)}`);
    arrived();
    const heard = expectOnly(events, room);
    await Promise.race([heard, pauses.for(random.around(pace.stay))]);
    leaving.abort(left);
    await heard;
  } catch (error) {
    if (leaving.signal.reason !== left) throw error;
  } finally {
    clearTimeout(begun);
  }
}

/** The reason of a client that goes by itself. */
const left = new Error("left");

/** Rejects when the stream ends, however it does. */
async function expectOnly(events: AsyncIterable<string>, room: number): Promise<never> {
  for await (const event of events) {
    if (!event.startsWith(prefixOf(room))) throw new Error(`expected an event of room ${room}, got "${event}"`);
  }
  throw new Error("expected events to go on, got the end of the stream");
}

async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield part.slice("data: ".length);
  }
}
