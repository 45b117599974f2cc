/** Somebody who is here, through however many connections of however many processes. */
export interface Member<Info extends object = {}> {
  readonly id: string;
  readonly username: string;
  /** When they came, in milliseconds since 1970. They may have gone and come back within the grace time. */
  readonly since: number;
  /** What `describe` said when they came. */
  readonly info: Info;
}

/**
 * What consumers are told that are in the group `scope.presence.events`. Once per user, and in agreement with what
 * `members()` says in the consumer's process.
 *
 * @example
 * interface ChatEvents extends PresenceEvents {
 *   "chat.message": { text: string };
 * }
 */
export interface PresenceEvents<Info extends object = {}> {
  "presence.join": { group: string; member: Member<Info> };
  "presence.leave": { group: string; member: Member<Info> };
}

/** What presence adds to the scope: for the `Needs` of a consumer. */
export interface Present<Info extends object = {}> {
  readonly presence: {
    /** The group of the channel layer that this process sends {@link PresenceEvents} to. */
    readonly events: string;
    /** Who is here. From the moment the connection is accepted that includes its own user. */
    members(): readonly Member<Info>[];
    /** How many users are here. */
    count(): number;
  };
}
