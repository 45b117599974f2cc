import type { MaybePromise } from "@sluice/core";
import { Guest } from "./guest.js";
import type { Visit } from "./visit.js";
import { hear, request } from "./web-visits.js";
import { brokenPath, crashes, floodSize, slowRoomPath, verbs } from "./words.js";

/** The ways to behave. Each resolves when its connection is over, and rejects if the server did not do its part. */
export const visits = {
  leaves: (visit) => chat(visit, (guest) => guest.leave()),
  cuts: (visit) => chat(visit, (guest) => guest.cut()),
  halfCloses: (visit) => chat(visit, halfClose),
  babbles: (visit) => chat(visit, babble),
  crashes: (visit) => chat(visit, crash),
  stalls: (visit) => chat(visit, stall),
  vanishes: vanish,
  refused: beRefused,
  requests: request,
  hears: hear,
} satisfies Readonly<Record<string, (visit: Visit) => Promise<void>>>;

export type VisitKind = keyof typeof visits;

/** In hundredths of all visits. Those that stay long make up about as much of the connections at one time. */
export const shares: Readonly<Record<VisitKind, number>> = {
  leaves: 58,
  cuts: 12,
  halfCloses: 6,
  babbles: 5,
  crashes: 8,
  stalls: 1,
  vanishes: 3,
  refused: 3,
  requests: 2,
  hears: 2,
};

/** Joins its room, chats for as long as it stays, and goes in the way of `go`. */
async function chat(visit: Visit, go: (guest: Guest, visit: Visit) => MaybePromise<void>): Promise<void> {
  const { random, pauses, pace, tally, name } = visit;
  const guest = new Guest(visit.port, visit.room);
  try {
    await guest.join();
    visit.arrived();
    const until = performance.now() + random.around(pace.stay);
    for (let count = 0; count === 0 || (performance.now() < until && !pauses.over); count++) {
      await guest.say(verbs.say, `${name}.${count}`);
      tally.message();
      await pauses.for(Math.min(random.around(pace.gap), until - performance.now()));
    }
    await go(guest, visit);
  } finally {
    guest.cut();
  }
  await guest.ended;
}

async function halfClose(guest: Guest): Promise<void> {
  guest.halfClose();
  await guest.end();
}

async function babble(guest: Guest, { random }: Visit): Promise<void> {
  // No frame may have its reserved bits set where no extension is agreed on (RFC 6455 5.2).
  guest.write(Buffer.concat([Buffer.from([0xf0 | random.below(16)]), random.bytes(64)]));
  await guest.end();
}

async function crash(guest: Guest, { random }: Visit): Promise<void> {
  const place = crashes[random.below(crashes.length)] ?? crashes[0];
  guest.command(verbs.crash + place);
  if (place === "disconnect") return guest.leave();
  const { code } = await guest.end();
  if (code !== 1011) throw new Error(`expected 1011 after a failure in ${place}, got ${code}`);
}

/** Stops reading while it is sent more than a connection buffers. Then it is cut, or reads all there is. */
async function stall(guest: Guest, { random, pauses, pace }: Visit): Promise<void> {
  guest.stopReading();
  guest.command(verbs.flood);
  await pauses.for(random.around(Math.min(pace.stay, 5_000)));
  if (random.below(2) === 0) guest.cut();
  else await guest.leaveAfter(floodSize.messages * floodSize.bytesPerMessage);
}

/** Has often gone before its room accepts it. */
async function vanish(visit: Visit): Promise<void> {
  const guest = new Guest(visit.port, visit.room);
  guest.shake(slowRoomPath(visit.room));
  await visit.pauses.for(visit.random.around(50));
  guest.cut();
  await guest.ended;
}

const refusals = [
  { path: "/ws/denied/", status: "403" },
  { path: "/ws/nowhere/", status: "404" },
  { path: brokenPath, status: "500" },
] as const;

async function beRefused(visit: Visit): Promise<void> {
  const { path, status } = refusals[visit.random.below(refusals.length)] ?? refusals[0];
  const got = await new Guest(visit.port, visit.room).refusal(path);
  if (got !== status) throw new Error(`expected status ${status} for a handshake on ${path}, got ${got}`);
}
