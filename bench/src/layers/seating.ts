export interface Seat {
  /** Its place in the list of all seats. */
  readonly socket: number;
  readonly group: number;
  /** The server process that the socket is connected to. */
  readonly server: number;
  /** Whether it speaks. In each group one does on each server. */
  readonly speaks: boolean;
}

export interface Hall {
  readonly sockets: number;
  readonly groups: number;
  readonly servers: number;
}

/** Who sits where: equally many members in each group, equally many of them on each server. */
export function seating({ sockets, groups, servers }: Hall): readonly Seat[] {
  return Array.from({ length: sockets }, (_, socket) => {
    const place = Math.floor(socket / groups);
    return { socket, group: socket % groups, server: place % servers, speaks: place < servers };
  });
}
