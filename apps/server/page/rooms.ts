import { recall, remember } from "./memory.js";

/** The room without a name is the public one. */
export const publicRoom = "";

const key = "sluice.rooms";
const most = 12;

/** Why a name cannot be that of a room, if so: it is a segment of a path (RFC 3986 3.3). */
export function roomFault(name: string): string | undefined {
  if (name.length > 64) return "A room's name has at most 64 characters.";
  if (/\/|^\.{1,2}$/.test(name)) return "A room's name contains no slash and is more than dots.";
  return undefined;
}

export function roomTitle(room: string): string {
  return room === publicRoom ? "Public room" : room;
}

/** The room that the page's address names, so that rooms can be linked to and gone back to. */
export function roomInAddress(): string {
  try {
    const room = decodeURIComponent(location.hash.slice(1));
    return roomFault(room) === undefined ? room : publicRoom;
  } catch {
    return publicRoom;
  }
}

export function addressOf(room: string): string {
  return `#${encodeURIComponent(room)}`;
}

/** The public room and those visited last, in the order of first visits, `room` among them from now on. */
export function visit(room: string): readonly string[] {
  const known = recall<string[]>(() => localStorage, key) ?? [];
  const visited = known.includes(room) || room === publicRoom ? known : [...known, room].slice(-most);
  remember(() => localStorage, key, visited);
  return [publicRoom, ...visited];
}
