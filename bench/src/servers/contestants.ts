/** A server that takes part. */
export interface Contestant {
  readonly name: string;
  /** For the report. */
  readonly title: string;
  /** Runs in a process of its own, and ends in a call of `present`. */
  readonly module: URL;
  /** The name of the contestant that does the same on the same driver without a library; a control has none. */
  readonly control?: string;
}

/** In the order in which they take their turns. */
export const contestants: readonly Contestant[] = [
  {
    name: "sluice-uws",
    title: "Sluice on uWebSockets.js",
    module: new URL("./sluice-uws.js", import.meta.url),
    control: "control-uws",
  },
  {
    name: "control-uws",
    title: "uWebSockets.js and jose by hand",
    module: new URL("./control-uws.js", import.meta.url),
  },
];
