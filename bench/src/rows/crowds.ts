import { IdleLoad } from "../driver/idle-load.js";
import { JitterLoad } from "../driver/jitter-load.js";
import { StormLoad } from "../driver/storm-load.js";
import { few } from "./few.js";
import type { Row } from "./row.js";

export const idle: Row = {
  name: "idle",
  title: "idle connection with a user, a channel and a group",
  unit: "connection",
  place: "group",
  resource: "memory",
  along: "connections",
  points: [
    { at: 1_000, units: { quick: 1_000, full: 1_000 }, connections: 1_000 },
    { at: 5_000, units: { quick: 5_000, full: 5_000 }, connections: 5_000, only: few },
    { at: 15_000, units: { quick: 15_000, full: 15_000 }, connections: 15_000, only: few },
  ],
  rounds: { quick: 1, full: 3 },
  goals: [{ to: "nothing", at: 15_000, atMost: 4_096 }],
  load: (visit) => new IdleLoad(visit),
};

export const storm: Row = {
  name: "storm",
  title: "return after a cut of all connections at once",
  unit: "return",
  place: "group",
  resource: "cpu",
  points: [{ at: 1, units: { quick: 2_000, full: 5_000 }, connections: 5_000 }],
  rounds: { quick: 1, full: 3 },
  goals: [],
  load: (visit) => new StormLoad(visit),
  remark: { title: "seconds until all are back", of: ({ elapsed }) => elapsed / 1_000 },
};

export const jitter: Row = {
  name: "jitter",
  title: "delivery to members who are cut off for 2 s of every 15 s",
  unit: "delivery",
  place: "group",
  resource: "cpu",
  along: "members",
  points: [{ at: 100, units: { quick: 60, full: 600 } }],
  rounds: { quick: 1, full: 1 },
  goals: [],
  load: (visit) => new JitterLoad(visit),
  remark: { title: "percent of the messages delivered", of: ({ share }) => share && share * 100 },
};
