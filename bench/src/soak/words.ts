/** What clients and server of a soak say to each other. */

/** What a text frame of a client begins with. */
export const verbs = {
  /** Says the rest to everybody in the room. */
  say: "say ",
  /** Fails in the place that the rest names. */
  crash: "crash ",
  /** Sends a great deal at once. */
  flood: "flood ",
} as const;

/** Where a consumer fails: on its client's message, on one of the layer's, in its clean-up. */
export const crashes = ["receive", "handler", "disconnect"] as const;

export type Crash = (typeof crashes)[number];

export function isCrash(place: string): place is Crash {
  return crashes.some((crash) => crash === place);
}

/** The first message of a connection: by then it is a member of its room. */
export const welcome = "welcome";

/** What everything said in a room begins with. */
export function prefixOf(room: number): string {
  return `${room}:`;
}

/** More than the system buffers for a connection whose client does not read. */
export const floodSize = { messages: 512, bytesPerMessage: 16 * 1024 } as const;

/** Where a consumer fails before it has accepted. */
export const brokenPath = "/ws/broken/";

export function roomPath(room: number): string {
  return `/ws/rooms/${room}/`;
}

/** Takes its time to accept. */
export function slowRoomPath(room: number): string {
  return `/ws/slow/${room}/`;
}

/** Server-sent events: what is said in the room. */
export function eventsPath(room: number): string {
  return `/events/${room}/`;
}
