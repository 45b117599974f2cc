import { seating } from "../driver/crowd.js";
import { GroupLoad } from "../driver/group-load.js";
import { few } from "./few.js";
import type { Row } from "./row.js";

/** Of each of many groups. */
const members = 10;

export const group: Row = {
  name: "group",
  title: "delivery to the members of a group",
  unit: "delivery",
  place: "group",
  resource: "cpu",
  along: "members",
  points: [
    { at: 10, units: { quick: 10_000, full: 50_000 } },
    { at: 100, units: { quick: 20_000, full: 100_000 } },
    { at: 1_000, units: { quick: 30_000, full: 100_000 } },
    { at: 10_000, units: { quick: 50_000, full: 200_000 }, connections: 10_000, only: few },
  ],
  goals: [{ to: { contestant: "control-uws" }, at: 1_000, atMost: 1.15 }],
  load: (visit) => new GroupLoad(visit, seating(1, visit.at)),
};

export const groups: Row = {
  name: "groups",
  title: `delivery in many groups of ${members}, all at once`,
  unit: "delivery",
  place: "group",
  resource: "cpu",
  along: "groups",
  points: [
    { at: 1, units: { quick: 10_000, full: 50_000 }, only: few },
    { at: 10, units: { quick: 20_000, full: 100_000 }, only: few },
    { at: 100, units: { quick: 30_000, full: 100_000 }, only: few },
    { at: 1_000, units: { quick: 50_000, full: 200_000 }, connections: 10_000, only: few },
  ],
  pointsTakeTurns: true,
  goals: [{ to: "first point", atMost: 1.15 }],
  load: (visit) => new GroupLoad(visit, seating(visit.at, members)),
};
