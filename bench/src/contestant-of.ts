import { type Contestant, contestants } from "./servers/contestants.js";

/** Throws a `TypeError` for a name that no contestant has. */
export function contestantOf(name: string): Contestant {
  const contestant = contestants.find((one) => one.name === name);
  if (contestant === undefined) throw new TypeError(`expected the name of a contestant, got ${name}`);
  return contestant;
}

/** Neither ours nor a control. */
export function isPeer({ name, control }: Contestant): boolean {
  return control === undefined && !contestants.some((one) => one.control === name);
}
