import { AmongLoad, present } from "../driver/among-load.js";
import { seating } from "../driver/crowd.js";
import { ExchangeLoad } from "../driver/exchange-load.js";
import { textEcho } from "../driver/exchanges.js";
import { GroupLoad } from "../driver/group-load.js";
import { HandshakeLoad } from "../driver/handshake-load.js";
import { pair } from "./few.js";
import type { Goal, Point, Row } from "./row.js";

const flat: readonly Goal[] = [{ to: "first point", atMost: 1.15 }];

/** Of the group that hears something, where others are there and do not. */
const members = 100;

function among(units: Point["units"]): Point[] {
  return [100, 1_000, 5_000, 15_000].map((at) => ({ at, units, connections: at, only: pair }));
}

const common = { resource: "cpu", along: "connections present", pointsTakeTurns: true, goals: flat } as const;

export const growthOfHandshakes: Row = {
  ...common,
  name: "growth-handshake",
  title: "handshake among those present",
  unit: "handshake",
  place: "group",
  points: among({ quick: 500, full: 2_000 }),
  load: (visit) => new AmongLoad(visit, new HandshakeLoad(visit)),
};

export const growthOfMessages: Row = {
  ...common,
  name: "growth-message",
  title: "text echo among those present",
  unit: "message",
  place: "group",
  points: among({ quick: 50_000, full: 200_000 }),
  load: (visit) => new AmongLoad(visit, new ExchangeLoad(visit, textEcho(visit.dialect))),
};

export const growthOfDeliveries: Row = {
  ...common,
  name: "growth-delivery",
  title: `delivery to a group of ${members} among those present`,
  unit: "delivery",
  place: "group",
  points: among({ quick: 20_000, full: 100_000 }),
  load: (visit) => new GroupLoad(visit, seating(1, members, "spoken"), present(visit.at)),
};
