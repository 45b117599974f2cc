import { HandshakeLoad } from "../driver/handshake-load.js";
import { OpaqueLoad } from "../driver/opaque-load.js";
import { ReconnectLoad } from "../driver/reconnect-load.js";
import { RefusalLoad } from "../driver/refusal-load.js";
import type { Row } from "./row.js";

const common = {
  unit: "handshake",
  place: "echo",
  resource: "cpu",
  points: [{ at: 1, units: { quick: 1_000, full: 2_000 } }],
} as const;

export const handshake: Row = {
  ...common,
  name: "handshake",
  title: "handshake with a JWT never seen before",
  goals: [
    { to: { contestant: "control-uws" }, atMost: 1.1 },
    { to: { contestant: "control-ws" }, atMost: 1 / 2 },
    { to: { contestant: "socketio" }, atMost: 1 / 2 },
    { to: { contestant: "channels-uvicorn" }, atMost: 1 / 6 },
    { to: { contestant: "channels-daphne" }, atMost: 1 / 6 },
  ],
  load: (visit) => new HandshakeLoad(visit),
};

export const reconnect: Row = {
  ...common,
  name: "reconnect",
  title: "handshake with a JWT seen before",
  goals: [{ to: { contestant: "control-uws" }, atMost: 0.65 }],
  load: (visit) => new ReconnectLoad(visit),
};

export const opaque: Row = {
  ...common,
  name: "opaque",
  title: "handshake with an opaque token, all at once",
  place: "opaque",
  points: [{ at: 1, units: { quick: 5_000, full: 5_000 } }],
  goals: [{ to: { row: "handshake" }, atMost: 1.5 }],
  load: (visit) => new OpaqueLoad(visit),
};

export const refusedOrigin: Row = {
  ...common,
  name: "refused-origin",
  title: "handshake refused for its origin",
  goals: [{ to: { row: "handshake" }, atMost: 1 }],
  load: (visit) => new RefusalLoad(visit, "origin"),
};

export const refusedToken: Row = {
  ...common,
  name: "refused-token",
  title: "handshake refused for its token",
  goals: [{ to: { row: "handshake" }, atMost: 1 }],
  load: (visit) => new RefusalLoad(visit, "token"),
};
