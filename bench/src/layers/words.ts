/** What clients and servers of a check say to each other. Times are those of `now()`. */
import type { LayerGap } from "@sluice/core";

/** A member of the group has said something; `at` is when its server was about to publish it. */
export interface Heard {
  readonly kind: "heard";
  readonly sender: number;
  readonly number: number;
  readonly at: number;
}

/** What became of what this socket has said: `groupSend` resolved, or rejected. */
export interface Answered {
  readonly kind: "answered";
  readonly number: number;
  readonly done: boolean;
  readonly began: number;
  readonly ended: number;
}

/** The consumer was told that messages may be missing here. */
export interface Gap {
  readonly kind: "gap";
  readonly reason: LayerGap["reason"];
  readonly since: number;
}

export type Told = Heard | Answered | Gap;

/** Begins the first message of a connection, which by then is a member; the name of its channel follows. */
export const welcome = "welcome ";

/** Begins what a client says; the number of it follows. Each sender counts for itself. */
export const say = "say ";

export const healthPath = "/health/";

export function memberPath(group: number, socket: number): string {
  return `/ws/groups/${group}/${socket}/`;
}

/** For a consumer that is a member of all groups and never done with its first message. */
export function stuckPath(groups: number): string {
  return `/ws/stuck/${groups}/`;
}
