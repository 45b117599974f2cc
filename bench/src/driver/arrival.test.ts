import { expect, test } from "vitest";
import { type Dialect, plain } from "../servers/dialect.js";
import { opcode, serverFrame } from "./frame.js";
import { HandshakeLoad } from "./handshake-load.js";
import { framesIn, play, serve, upgrade, visit } from "./test-server.js";

const dialect: Dialect = {
  ...plain,
  target: (path) => `/socket?at=${path}`,
  opening: (token) => [{ hear: /^0\{/ }, { say: `40${token}`, hear: "40" }],
};

/** A server that greets, and answers the token by `answer`. */
function greeting(answer: string, heard: string[] = []): Promise<number> {
  return serve({
    handshake(socket, head) {
      heard.push(head.split(" ")[1] ?? "");
      socket.cork();
      upgrade(socket, head);
      socket.write(serverFrame(opcode.text, Buffer.from("0{}")));
      socket.uncork();
    },
    frames(socket, bytes) {
      for (const { code, payload } of framesIn(bytes)) {
        if (code === opcode.text) heard.push(payload.toString().slice(0, 5));
        socket.write(serverFrame(code, code === opcode.text ? Buffer.from(answer) : payload));
      }
    },
  });
}

test("a WebSocket counts as open when all of its dialect's opening is over", async () => {
  const heard: string[] = [];
  const port = await greeting("40", heard);
  expect(await play(new HandshakeLoad(visit(port, { dialect })))).toEqual({ units: 1, lost: 0 });
  expect(heard).toEqual(["/socket?at=/ws/echo/", expect.stringMatching(/^40ey/)]);
});

test("another answer than that of the dialect is reported", async () => {
  const port = await greeting("44 no");
  await expect(play(new HandshakeLoad(visit(port, { dialect })))).rejects.toThrow(
    'expected the text "40", got "44 no" in a frame of opcode 1',
  );
});
