/** A name under which sessions keep a value, with its type. Made by {@link sessionKey}. */
export interface SessionKey<Value> {
  readonly name: string;
  /** What is kept may be older than the application that reads it. */
  readonly isValue: (kept: unknown) => kept is Value;
}

/**
 * Names a value that sessions keep. `isValue` looks at what comes out of the store, where an earlier release of the
 * application may have put something else: what it does not know reads as undefined. Without it, nobody looks.
 *
 * @example
 * const cart = sessionKey<readonly string[]>("cart");
 * scope.session.set(cart, [...(scope.session.get(cart) ?? []), "book"]);
 * @example
 * const visits = sessionKey("visits", (kept) => typeof kept === "number"); // SessionKey<number>
 */
export function sessionKey<Value>(
  name: string,
  isValue: (kept: unknown) => kept is Value = (_kept): _kept is Value => true,
): SessionKey<Value> {
  return { name, isValue };
}
