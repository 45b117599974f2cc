/** What the processes of one presence tell each other: messages of the channel layer, from outside as far as types go. */
import type { LayerMessage } from "../ports/channel-layer.js";
import type { Member } from "./member.js";
import type { Entry } from "./roll.js";

// Types, not interfaces: only those fit the index signature of a layer message.
type From<Type extends string, Fields = unknown> = {
  readonly type: `presence.${Type}`;
  /** The process that speaks. */
  readonly from: string;
  /** How many changes the process has made so far, this one included. */
  readonly version: number;
} & Fields;

/** A process is alive. */
export type Beat = From<"beat">;
/** A user has come to a process, to whom there was no connection yet. */
export type Enter = From<"enter", { readonly group: string; readonly member: Member }>;
/** A user has no connection to a process any more. */
export type Exit = From<"exit", { readonly group: string; readonly id: string }>;
/** A process asks another one, or all, for its {@link State}, to be sent to a channel. */
export type Ask = From<"ask", { readonly of: string | null; readonly channel: string }>;
/** A piece of all that a process has. */
export type State = From<
  "state",
  { readonly part: number; readonly parts: number; readonly entries: readonly Entry[] }
>;
/** A process ends. */
export type Bye = From<"bye">;

export type Gossip = Beat | Enter | Exit | Ask | State | Bye;

/** The message as what it says it is; undefined for one that is malformed. */
export function readGossip(message: LayerMessage): Gossip | undefined {
  return isText(message.from) && isCount(message.version) && hasFields(message) ? (message as Gossip) : undefined;
}

function hasFields(message: LayerMessage): boolean {
  switch (message.type as Gossip["type"]) {
    case "presence.beat":
    case "presence.bye":
      return true;
    case "presence.enter":
      return isEntry(message);
    case "presence.exit":
      return isText(message.group) && isText(message.id);
    case "presence.ask":
      return isText(message.channel) && (message.of === null || isText(message.of));
    case "presence.state":
      return (
        isCount(message.part) &&
        isCount(message.parts) &&
        message.part < message.parts &&
        Array.isArray(message.entries) &&
        message.entries.every(isEntry)
      );
    default:
      return false;
  }
}

function isEntry(value: unknown): boolean {
  return isObject(value) && isText(value.group) && isMember(value.member);
}

function isMember(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.id) &&
    isText(value.username) &&
    Number.isFinite(value.since) &&
    isObject(value.info)
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
