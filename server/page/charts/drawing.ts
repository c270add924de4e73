import uPlot from 'uplot';
import { formatCompact } from '../ui/numbers.js';
import { clockMinutes, clockTime } from '../ui/time.js';
import type { TimeRange } from './ranges.js';
import { drawnRows, gapsIn, type Numbers, partialIn } from './rows.js';

/** What a plot draws. The colors are those of a style sheet: `var(--series-1)`. */
export interface Drawn {
  readonly seconds: readonly number[];
  readonly lines: readonly Numbers[];
  readonly colors: readonly string[];
  /** 0 where some servers were missing in the numbers. */
  readonly complete: Numbers;
  readonly range: TimeRange;
}

/** Pixels around the area that shows the lines: numbers, times, and marks above. */
export const around = { left: 44, right: 24, top: 24, bottom: 26 };
export const plotHeight = 164;

/** The points as uPlot takes them. Without any, the axes are drawn all the same. */
export function dataOf({ seconds, lines, range }: Drawn): uPlot.AlignedData {
  if (seconds.length === 0) return [[range.from, range.to], ...lines.map(() => [null, null])];
  const drawn = drawnRows(seconds, lines, range);
  return [drawn.seconds, ...drawn.lines];
}

/**
 * The options of a plot in an element of so many pixels. `now` returns what is drawn at the moment. A canvas does
 * not know the colors of style sheets, so they are read from the element.
 */
export function optionsOf(element: HTMLElement, width: number, now: () => Drawn): uPlot.Options {
  const style = getComputedStyle(element);
  const axis: uPlot.Axis = {
    stroke: style.getPropertyValue('--text-3').trim(),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: style.getPropertyValue('--line').trim(), width: 1 },
    ticks: { show: false },
  };
  const { colors } = now();
  return {
    width,
    height: plotHeight,
    padding: [around.top, around.right, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: () => [now().range.from, now().range.to] },
      y: { range: (_, __, max) => [0, Math.max(4, (max ?? 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: around.bottom,
        gap: 8,
        space: 70,
        incrs: timeSteps,
        values: timesOf,
      },
      { ...axis, size: around.left, gap: 6, space: 34, incrs: wholeSteps, values: numbersOf },
    ],
    series: [{}, ...colors.map((name) => lineOf(resolved(name, element), colors.length === 1))],
    hooks: {
      drawClear: [(plot) => shadeGaps(plot, now(), style.getPropertyValue('--surface-2').trim())],
      draw: [(plot) => underlinePartial(plot, now(), style.getPropertyValue('--warn').trim())],
    },
  };
}

/** Steps, because a count stays the same until it changes. A gap begins where the number ends. */
const steps = uPlot.paths.stepped?.({ align: 1, alignGaps: 1 });

const lineOf = (stroke: string, isFilled: boolean): uPlot.Series => ({
  stroke,
  width: 2,
  points: { show: false },
  ...(isFilled && { fill: faint(stroke) }),
  ...(steps && { paths: steps }),
});

/** The color that a browser computes for a name such as `var(--series-1)`: `rgb(59, 108, 240)`. */
function resolved(name: string, element: HTMLElement): string {
  const probe = document.createElement('span');
  probe.style.color = name;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const faint = (rgb: string) => rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)');

/** Shades the times without numbers, which would otherwise look like zeros. */
function shadeGaps(plot: uPlot, { seconds, lines, range }: Drawn, color: string): void {
  fillTimes(plot, gapsIn(seconds, lines, range), color, plot.bbox.height);
}

const underlinePixels = 3;

/** Underlines the times in which the numbers of some servers were missing. */
function underlinePartial(plot: uPlot, { seconds, complete, range }: Drawn, color: string): void {
  const height = underlinePixels * devicePixelRatio;
  fillTimes(plot, partialIn(seconds, complete, range), color, height);
}

/** Fills times from the bottom of the area up to a height, in pixels of the canvas. */
function fillTimes(plot: uPlot, times: readonly TimeRange[], color: string, height: number): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = color;
  for (const { from, to } of times) {
    const left = plot.valToPos(from, 'x', true);
    const width = plot.valToPos(to, 'x', true) - left;
    ctx.fillRect(left, bbox.top + bbox.height - height, width, height);
  }
  ctx.restore();
}

const wholeSteps = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 8 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);

const [minute, hour] = [60, 3600];
/** As those of uPlot, and some between them, for narrow plots. */
const timeSteps = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((step) => step * minute),
  ...[1, 2, 3, 6, 12, 24].map((step) => step * hour),
];

const numbersOf = (_: uPlot, values: number[]) => values.map(formatCompact);

function timesOf(_: uPlot, seconds: number[], __: number, ___: number, step: number): string[] {
  const format = step >= 60 ? clockMinutes : clockTime;
  return seconds.map((second) => format(second * 1000));
}
