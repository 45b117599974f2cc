import type { ChildProcess } from "node:child_process";

export interface Cluster {
  readonly directory: string;
  readonly bin: string;
  readonly port: number;
  readonly url: string;
}

export const identity: { readonly uid?: number; readonly gid?: number };
export function serverDirectory(): Promise<string>;
export function initialise(directory: string): Promise<Cluster>;
export function start(cluster: Cluster, settings: readonly string[]): Promise<ChildProcess>;
export function freePort(): Promise<number>;
