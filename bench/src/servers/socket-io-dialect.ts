import type { Dialect, Step } from "./dialect.js";

// Engine.IO 4 in text frames: "0" opens, "4" is a message. In messages Socket.IO 5: "0" connects, "2" is an event, "3" says
// that one was handled, "4" refuses.

const opened: Step = { hear: /^0\{/ };

/** A client that has the WebSocket transport only, and no other. */
export const socketIo: Dialect = {
  target: () => "/socket.io/?EIO=4&transport=websocket",
  opening: (token, path) => [opened, { say: connect(token), hear: /^40\{"sid":"[\w-]+"\}$/ }, ...join(path)],
  say: (text, path) => (isJson(path) ? `42["json",${text}]` : `42${JSON.stringify(["message", text])}`),
  hear: (text, path) => (isJson(path) ? text.slice('42["json",'.length, -1) : messageOf(text)),
  // A binary argument comes in a frame of its own, after the event that it belongs to.
  textOnly: true,
  refusals: {
    // What engine.io answers to every upgrade that `allowRequest` refuses.
    origin: { status: 400 },
    token: {
      status: 101,
      opening: (token) => [opened, { say: connect(token), hear: '44{"message":"unauthorized"}' }],
    },
  },
};

function connect(token: string | undefined): string {
  return token === undefined ? "40" : `40${JSON.stringify({ token })}`;
}

/** A room is asked for by an event, whose acknowledgement says that the socket is in it. */
function join(path: string): readonly Step[] {
  const [, room] = /^\/ws\/group\/([\w-]+)\/$/.exec(path) ?? [];
  return room === undefined ? [] : [{ say: `420${JSON.stringify(["join", room])}`, hear: "430[]" }];
}

function isJson(path: string): boolean {
  return path === "/ws/json/";
}

function messageOf(text: string): string {
  const [, message] = JSON.parse(text.slice("42".length)) as [string, string];
  return message;
}
