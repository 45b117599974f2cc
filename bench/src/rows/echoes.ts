import { ExchangeLoad } from "../driver/exchange-load.js";
import { binaryEcho, jsonEcho, textEcho } from "../driver/exchanges.js";
import type { Row } from "./row.js";

const common = {
  unit: "message",
  resource: "cpu",
  points: [{ at: 1, units: { quick: 50_000, full: 200_000 } }],
  goals: [{ to: { contestant: "control-uws" }, atMost: 1.25 }],
} as const;

export const echo: Row = {
  ...common,
  name: "echo",
  title: "text echo, 66 bytes",
  place: "echo",
  load: (visit) => new ExchangeLoad(visit, textEcho(visit.dialect)),
};

export const json: Row = {
  ...common,
  name: "json",
  title: "JSON echo, 66 bytes",
  place: "json",
  load: (visit) => new ExchangeLoad(visit, jsonEcho(visit.dialect)),
};

export const binary: Row = {
  ...common,
  name: "binary",
  title: "binary echo, 64 KiB",
  place: "echo",
  isBinary: true,
  points: [{ at: 1, units: { quick: 2_000, full: 5_000 } }],
  goals: [],
  load: (visit) => new ExchangeLoad(visit, binaryEcho()),
};
