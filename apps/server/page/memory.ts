/**
 * What was remembered under `key`. Undefined if nothing was, or where a browser keeps nothing: its storage throws then
 * as soon as it is named, hence the function.
 */
export function recall<Value>(storage: () => Storage, key: string): Value | undefined {
  try {
    return JSON.parse(storage().getItem(key) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps `value` for the next time, if the browser does; undefined forgets it. */
export function remember(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Then it lasts as long as the page.
  }
}
