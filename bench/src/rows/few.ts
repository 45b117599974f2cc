/** Who is measured with thousands of connections: ours and the controls. With the others that would take longer than all the rest. */
export const few: readonly string[] = ["sluice-uws", "control-uws", "sluice-node", "control-ws"];

/** Who is measured with thousands of connections again and again. */
export const pair: readonly string[] = ["sluice-uws", "control-uws"];
