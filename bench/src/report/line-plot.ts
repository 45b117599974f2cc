import type { Spread } from "../measure/spread.js";
import { linear, logarithmic, ticksTo, tickText } from "./axis.js";
import { thousands } from "./numbers.js";
import { type Element, element, svg } from "./svg.js";

export interface Line {
  readonly label: string;
  readonly color: string;
  /** From the left to the right. */
  readonly points: readonly { readonly at: number; readonly spread: Spread }[];
}

export interface LinePlot {
  readonly title: string;
  /** What a point is high for. */
  readonly measure: string;
  /** What lies on the other axis. */
  readonly along: string;
  readonly lines: readonly Line[];
}

interface Scales {
  x(at: number): number;
  y(value: number): number;
}

const width = 860;
const left = 80;
const right = width - 330;
const top = 64;
const bottom = 340;
const legendPitch = 22;

/** A line for each contestant, along a logarithmic axis, with the spread of each point. */
export function linePlot({ title, measure, along, lines }: LinePlot): string {
  const points = lines.flatMap((line) => line.points);
  const places = [...new Set(points.map(({ at }) => at))].sort((a, b) => a - b);
  const ticks = ticksTo(Math.max(...points.map(({ spread }) => spread.highest)));
  const scales: Scales = {
    x: logarithmic([places[0] ?? 1, places.at(-1) ?? 1], [left + 16, right - 16]),
    y: linear([0, ticks.at(-1) ?? 1], [bottom, top]),
  };
  return svg(width, bottom + 56, [
    element("text", { x: 16, y: 24, "font-size": 15, "font-weight": 600 }, title),
    element("text", { x: 16, y: 44, fill: "#57606a" }, measure),
    ...ticks.flatMap((tick) => [
      element("line", { x1: left, x2: right, y1: scales.y(tick), y2: scales.y(tick), stroke: "#d0d7de" }),
      element("text", { x: left - 8, y: scales.y(tick) + 4, "text-anchor": "end", fill: "#57606a" }, tickText(tick)),
    ]),
    ...places.map((at) =>
      element("text", { x: scales.x(at), y: bottom + 20, "text-anchor": "middle", fill: "#57606a" }, thousands(at)),
    ),
    element("text", { x: (left + right) / 2, y: bottom + 42, "text-anchor": "middle" }, along),
    ...lines.flatMap((line, index) => drawn(line, top + 10 + index * legendPitch, scales)),
  ]);
}

function drawn({ label, color, points }: Line, legend: number, { x, y }: Scales): Element[] {
  const course = points.map(({ at, spread }) => `${x(at).toFixed(1)},${y(spread.median).toFixed(1)}`).join(" ");
  return [
    element("polyline", { points: course, fill: "none", stroke: color, "stroke-width": 2 }),
    ...points.flatMap(({ at, spread: { median, lowest, highest } }) => [
      element("line", { x1: x(at), x2: x(at), y1: y(lowest), y2: y(highest), stroke: color, "stroke-width": 1.5 }),
      element("circle", { cx: x(at), cy: y(median), r: 3.5, fill: color }),
    ]),
    element("circle", { cx: right + 20, cy: legend, r: 5, fill: color }),
    element("text", { x: right + 32, y: legend + 4 }, label),
  ];
}
