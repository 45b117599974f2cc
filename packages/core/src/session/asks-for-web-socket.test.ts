import { expect, it } from "vitest";
import type { HeaderList } from "../scope.js";
import { asksForWebSocket } from "./asks-for-web-socket.js";

const proper: HeaderList = [
  ["host", "test.example"],
  ["upgrade", "websocket"],
  ["connection", "Upgrade"],
];

it.each<[string, HeaderList]>([
  ["as browsers do", proper],
  [
    "in other letters, and in lists",
    [
      ["upgrade", "h2c , WebSocket"],
      ["connection", "keep-alive"],
      ["connection", "x,\tUPGRADE"],
    ],
  ],
])("takes a request for one that asks %s", (_what, headers) => {
  expect(asksForWebSocket({ method: "GET", httpVersion: "1.1", headers })).toBe(true);
});

it.each<[string, Partial<Parameters<typeof asksForWebSocket>[0]>]>([
  ["another method", { method: "POST" }],
  ["HTTP/1.0", { httpVersion: "1.0" }],
  ["HTTP/0.9", { httpVersion: "0.9" }],
  ["another protocol", { headers: [...proper.slice(0, 1), ["upgrade", "websocket2"], ["connection", "Upgrade"]] }],
  ["no word of it in Connection", { headers: proper.slice(0, 2) }],
  ["no word of it in Upgrade", { headers: [["connection", "Upgrade"]] }],
])("takes a request with %s for an ordinary one", (_what, head) => {
  expect(asksForWebSocket({ method: "GET", httpVersion: "1.1", headers: proper, ...head })).toBe(false);
});
