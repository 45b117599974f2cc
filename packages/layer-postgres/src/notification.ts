import { randomUUID } from "node:crypto";

/** PostgreSQL refuses a notification of more bytes. */
const longestPayload = 7_999;
/** Bytes that a character takes at most, of those that count as one in a JavaScript string. */
const longestCharacter = 3;

/** What goes over NOTIFY for a payload, and what has to lie in the table for it to be understood. */
export interface Notification {
  readonly text: string;
  readonly stored?: { readonly id: string; readonly payload: string };
}

/** What has come: a payload, or the id under which it lies in the table. */
export type Notified = { readonly payload: string } | { readonly id: string };

let made = 0;

/**
 * Packs a payload for NOTIFY. No two notifications of a process are equal: of equal ones in one transaction PostgreSQL
 * delivers the first only.
 */
export function notification(payload: string): Notification {
  const text = `=${(made++).toString(36)} ${payload}`;
  if (text.length * longestCharacter <= longestPayload || Buffer.byteLength(text) <= longestPayload) return { text };
  const id = randomUUID();
  return { text: `#${id}`, stored: { id, payload } };
}

/** Anybody on the database can notify: what is no id would fail the query that reads several. */
const storedId = /^#[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined for what no layer has sent. */
export function readNotification(text: string): Notified | undefined {
  if (storedId.test(text)) return { id: text.slice(1) };
  return text.startsWith("=") ? { payload: text.slice(text.indexOf(" ") + 1) } : undefined;
}
