import { expect, test } from "vitest";
import { linear, logarithmic, ticksTo } from "./axis.js";
import { barPlot } from "./bar-plot.js";
import { linePlot } from "./line-plot.js";
import { plotsOf } from "./plots.js";
import { element, svg } from "./svg.js";
import { record } from "./test-record.js";

test.each([
  [10, [0, 2, 4, 6, 8, 10]],
  [0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [1_210, [0, 250, 500, 750, 1_000, 1_250]],
  [0, [0, 1]],
])("ticks to %d are round and reach it", (highest, expected) => {
  expect(ticksTo(highest)).toEqual(expected);
});

test("scales place values between pixels", () => {
  expect([0, 5, 10].map(linear([0, 10], [100, 200]))).toEqual([100, 150, 200]);
  expect([1, 10, 100].map((value) => Math.round(logarithmic([1, 100], [0, 200])(value)))).toEqual([0, 100, 200]);
  expect(linear([3, 3], [100, 200])(3)).toBe(100);
});

test("what stands in a picture cannot be taken for its markup", () => {
  const picture = svg(10, 20, [element("text", { x: 1.26, title: '"' }, "a < b & c")]);
  expect(picture).toContain('<text x="1.3" title="&quot;">a &lt; b &amp; c</text></svg>\n');
  expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 10 20"/);
});

test("a bar is as long as its median, with a line from the lowest to the highest", () => {
  const spread = (median: number) => ({ median, lowest: median - 1, highest: median + 1 });
  const picture = barPlot({
    title: "echo",
    measure: "CPU",
    bars: [
      { label: "Ours", color: "#111111", spread: spread(4) },
      { label: "By hand", color: "#222222", spread: spread(2) },
    ],
  });
  const widths = [...picture.matchAll(/<rect x="[^"]+" y="[^"]+" width="([^"]+)"/g)].map((match) => Number(match[1]));
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(2);
  expect(picture).toContain(">Ours</text>");
  expect(picture).toContain(">4.00</text>");
});

test("a line goes through the medians from the left to the right, dearer being higher", () => {
  const picture = linePlot({
    title: "growth",
    measure: "CPU",
    along: "connections",
    lines: [
      {
        label: "Ours",
        color: "#111111",
        points: [
          { at: 100, spread: { median: 1, lowest: 1, highest: 1 } },
          { at: 1_000, spread: { median: 4, lowest: 3, highest: 5 } },
        ],
      },
    ],
  });
  const [, from, to] = /<polyline points="([\d.,]+) ([\d.,]+)"/.exec(picture) ?? [];
  const [x1 = 0, y1 = 0] = (from ?? "").split(",").map(Number);
  const [x2 = 0, y2 = 0] = (to ?? "").split(",").map(Number);
  expect(x2).toBeGreaterThan(x1);
  expect(y2).toBeLessThan(y1);
  expect(picture).toContain(">1,000</text>");
});

test("a run has bars where a row has one point, lines where it has several, and nothing where nobody has a figure", () => {
  const nobody = {
    ...record.rows[0],
    name: "nobody",
    title: "",
    unit: "",
    resource: "cpu",
    points: [],
    failures: [],
  } as const;
  const plots = plotsOf({ ...record, rows: [...record.rows, nobody] });
  expect(Object.keys(plots)).toEqual(["handshake.svg", "idle.svg"]);
  expect(plots["handshake.svg"]).not.toContain("<polyline");
  expect(plots["idle.svg"]).toContain("<polyline");
});
