import type { LayerGap } from "@sluice/core";

/** Somebody did not hear what a `groupSend` that resolved has sent. */
export interface Miss {
  readonly socket: number;
  readonly sender: number;
  readonly number: number;
  /** `"reported late"`: by a gap that came after something the same sender said later. */
  readonly fate: "lost" | "reported" | "reported late";
}

/** What the clients of a run have seen. */
export interface Findings {
  readonly said: number;
  /** How many `groupSend` resolved. */
  readonly confirmed: number;
  readonly rejected: number;
  /** How many did neither. */
  readonly hung: number;
  /** Messages of confirmed publishes that came, each of them counted once per member. */
  readonly deliveries: number;
  /** Those that did not come, and no gap told of it. */
  readonly lost: number;
  /** Those that did not come, and a gap told of it. */
  readonly reported: number;
  /** Of these, how many by a gap that came too late to stand in their place. */
  readonly reportedLate: number;
  readonly twice: number;
  /** What came after something that its sender had said later. */
  readonly disordered: number;
  /** What came though nobody has said it in the group. */
  readonly strayed: number;
  /** What came though its `groupSend` rejected, which it may. */
  readonly heardThoughRejected: number;
  /** How many were told, by reason. */
  readonly gaps: Readonly<Record<LayerGap["reason"], number>>;
  readonly rejections: readonly { readonly began: number; readonly ended: number }[];
  /** Of what should not have happened. */
  readonly examples: readonly string[];
}

export function tellMiss({ socket, sender, number }: Miss): string {
  return `socket ${socket} did not hear ${number} of ${sender}`;
}
