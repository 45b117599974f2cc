/** Round numbers from 0 to the first one that is not less than `highest`: four to six of them. */
export function ticksTo(highest: number): number[] {
  if (!(highest > 0)) return [0, 1];
  const rough = highest / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((digit) => digit * power >= rough * 0.999) ?? 10);
  const count = Math.ceil(highest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

export function tickText(tick: number): string {
  return tick.toLocaleString("en-US");
}

/** Where a value lies between two pixels. */
export function linear(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  return (value) => (to === from ? start : start + ((value - from) / (to - from)) * (end - start));
}

/** As `linear`, with the same distance for the same factor. */
export function logarithmic(
  [from, to]: readonly [number, number],
  pixels: readonly [number, number],
): (value: number) => number {
  const scale = linear([Math.log(from), Math.log(to)], pixels);
  return (value) => scale(Math.log(value));
}
