import { expect, test } from "vitest";
import { seating } from "./seating.js";

test("each group has its members evenly on all servers, and one of them on each who speaks", () => {
  const seats = seating({ sockets: 600, groups: 20, servers: 3 });
  expect(seats.map(({ socket }) => socket)).toEqual(Array.from({ length: 600 }, (_, index) => index));
  for (let group = 0; group < 20; group++) {
    for (let server = 0; server < 3; server++) {
      const here = seats.filter((seat) => seat.group === group && seat.server === server);
      expect(here).toHaveLength(10);
      expect(here.filter(({ speaks }) => speaks)).toHaveLength(1);
    }
  }
});
