import type { App, ProtocolServerOptions, Server } from "@sluice/core";

/** The part of every transport's `serve` that is used here. */
type Serve = (app: App, options: ProtocolServerOptions & { readonly port: number }) => Promise<Server>;

/** Loaded when they are asked for: uWebSockets.js has no binary for every Node. */
export const transports = {
  uws: async (): Promise<Serve> => (await import("@sluice/transport-uws")).serve,
  node: async (): Promise<Serve> => (await import("@sluice/transport-node")).serve,
} as const;

export type TransportName = keyof typeof transports;

export function isTransportName(name: string): name is TransportName {
  return Object.hasOwn(transports, name);
}
