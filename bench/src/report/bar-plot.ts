import type { Spread } from "../measure/spread.js";
import { linear, ticksTo, tickText } from "./axis.js";
import { few } from "./numbers.js";
import { type Element, element, svg } from "./svg.js";

export interface Bar {
  readonly label: string;
  readonly color: string;
  readonly spread: Spread;
}

export interface BarPlot {
  readonly title: string;
  /** What a bar is long for. */
  readonly measure: string;
  readonly bars: readonly Bar[];
}

const width = 860;
const left = 310;
const right = width - 90;
const top = 64;
const pitch = 30;
const thickness = 18;

/** A bar for each median, from the top down, with a line from the lowest to the highest round. */
export function barPlot({ title, measure, bars }: BarPlot): string {
  const ticks = ticksTo(Math.max(...bars.map(({ spread }) => spread.highest)));
  const x = linear([0, ticks.at(-1) ?? 1], [left, right]);
  const bottom = top + bars.length * pitch;
  return svg(width, bottom + 34, [
    element("text", { x: 16, y: 24, "font-size": 15, "font-weight": 600 }, title),
    element("text", { x: 16, y: 44, fill: "#57606a" }, measure),
    ...ticks.flatMap((tick) => [
      element("line", { x1: x(tick), x2: x(tick), y1: top - 6, y2: bottom, stroke: "#d0d7de" }),
      element("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle", fill: "#57606a" }, tickText(tick)),
    ]),
    ...bars.flatMap((bar, index) => drawn(bar, top + index * pitch + pitch / 2, x)),
  ]);
}

function drawn({ label, color, spread }: Bar, y: number, x: (value: number) => number): Element[] {
  const { median, lowest, highest } = spread;
  const whisker = { stroke: "#24292f", "stroke-width": 1.5 };
  return [
    element("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, label),
    element("rect", {
      x: left,
      y: y - thickness / 2,
      width: Math.max(x(median) - left, 0),
      height: thickness,
      fill: color,
    }),
    element("line", { x1: x(lowest), x2: x(highest), y1: y, y2: y, ...whisker }),
    ...[lowest, highest].map((end) => element("line", { x1: x(end), x2: x(end), y1: y - 4, y2: y + 4, ...whisker })),
    element("text", { x: x(highest) + 8, y: y + 4, "font-weight": 600 }, few(median)),
  ];
}
