/** The topics of a brokered layer. Names are what `names.ts` allows, so no topic can be taken for another. */

/** Heard by all processes. */
export const everybody = "all";

/** Heard by every process with a member of the group. */
export function groupTopic(group: string): string {
  return `group:${group}`;
}

/** Heard by one process. */
export function processTopic(process: string): string {
  return `process:${process}`;
}

/** Heard by every process with a reader of the named channel. */
export function queueTopic(channel: string): string {
  return `queue:${channel}`;
}
