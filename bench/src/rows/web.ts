import { HttpLoad } from "../driver/http-load.js";
import type { Row } from "./row.js";

const common = { unit: "request", resource: "cpu", goals: [] } as const;

export const login: Row = {
  ...common,
  name: "login",
  title: "login with a password (argon2id)",
  place: "login",
  points: [{ at: 1, units: { quick: 20, full: 50 } }],
  load: (visit) => new HttpLoad(visit, "login"),
};

export const me: Row = {
  ...common,
  name: "me",
  title: "who-am-I",
  place: "me",
  points: [{ at: 1, units: { quick: 5_000, full: 20_000 } }],
  load: (visit) => new HttpLoad(visit, "me"),
};

export const ticket: Row = {
  ...common,
  name: "ticket",
  title: "ticket for a WebSocket",
  place: "ticket",
  points: [{ at: 1, units: { quick: 5_000, full: 20_000 } }],
  load: (visit) => new HttpLoad(visit, "ticket"),
};

export const events: Row = {
  ...common,
  name: "events",
  title: "stream of server-sent events",
  unit: "stream",
  place: "events",
  points: [{ at: 1, units: { quick: 1_000, full: 5_000 } }],
  load: (visit) => new HttpLoad(visit, "events"),
};
