import type { Spread } from "../measure/spread.js";
import type { Row } from "../rows/row.js";

/** In what a cost is told, and how much of it there is in one. */
export const scales = {
  cpu: { unit: "us", size: 1 },
  memory: { unit: "KiB", size: 1_024 },
} as const satisfies Record<Row["resource"], object>;

/** A cost with its unit: `"0.62 us"`, `"47 us"`, `"3.4 KiB"`. */
export function costText(value: number, resource: Row["resource"]): string {
  const { unit, size } = scales[resource];
  return `${few(value / size)} ${unit}`;
}

/** The lowest and the highest of a spread: `"1.10 to 1.50"`. */
export function rangeText({ lowest, highest }: Spread, text: (value: number) => string): string {
  return `${text(lowest)} to ${text(highest)}`;
}

export function ratioText(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Two digits behind the point of a small number, and none of a large one. */
export function few(value: number): string {
  const size = Math.abs(value);
  return size < 10 ? value.toFixed(2) : size < 100 ? value.toFixed(1) : thousands(value);
}
