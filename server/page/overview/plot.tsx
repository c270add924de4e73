import 'uplot/dist/uPlot.min.css';
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { history, historyVersion } from '../model/fleet.js';
import { useWidth } from '../rooms/useWidth.js';
import { formatCompact, formatNumber } from '../ui/numbers.js';
import { clockTime } from '../ui/time.js';
import { spanSeconds } from './span.js';

const height = 132;
/** Seconds shown at least, even if the page was opened just now. */
const leastSeconds = 30;

/** A plot of one total over time. The caller adds the same facts as text. */
export function Plot({ series }: { series: 'connections' | 'rooms' }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const width = useWidth(box);
  const isDark = useIsDark();
  const [pointed, setPointed] = useState('');
  useEffect(() => {
    if (!box.current || width === 0) return undefined;
    const made = new uPlot(
      options(series, box.current, width, setPointed),
      data(series),
      box.current,
    );
    plot.current = made;
    return () => made.destroy();
  }, [series, width, isDark]);
  useSignalEffect(() => {
    historyVersion.value;
    spanSeconds.value;
    plot.current?.setData(data(series));
  });
  return (
    <div class="plot" aria-hidden="true">
      <span class="plot-pointed quiet small">{pointed}</span>
      <div ref={box} class="plot-box" />
    </div>
  );
}

const data = (series: 'connections' | 'rooms'): uPlot.AlignedData => [
  history.seconds,
  history[series],
];

/** A canvas ignores CSS custom properties, so the plot is redrawn when the color scheme changes. */
function useIsDark(): boolean {
  const [query] = useState(() => matchMedia('(prefers-color-scheme: dark)'));
  const [isDark, setIsDark] = useState(query.matches);
  useEffect(() => {
    const change = () => setIsDark(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, [query]);
  return isDark;
}

function options(
  series: string,
  element: HTMLElement,
  width: number,
  point: (text: string) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const stroke = color(series === 'connections' ? '--series-1' : '--series-2');
  const axis: uPlot.Axis = {
    stroke: color('--text-3'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      sync: { key: 'trends' },
      points: { size: 7 },
    },
    scales: {
      x: { range: (_, min, max) => [shownFrom(min, max), max] },
      y: { range: (_, __, max) => [0, Math.max(4, max * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 26, gap: 8, space: 90, values: timesOf },
      {
        ...axis,
        size: 44,
        gap: 6,
        space: 34,
        incrs: wholeSteps,
        values: (_, values) => values.map(formatCompact),
      },
    ],
    series: [
      {},
      {
        stroke,
        width: 2,
        fill: `${stroke}1f`,
        points: { show: false },
        ...(steps && { paths: steps }),
      },
    ],
    hooks: { setCursor: [(made) => point(pointedAt(made))] },
  };
}

/** The first second that is shown. */
const shownFrom = (min: number, max: number) =>
  Math.min(Math.max(min, max - spanSeconds.peek()), max - leastSeconds);

/** Steps, because a count stays the same until it changes. */
const steps = uPlot.paths.stepped?.({ align: 1 });

const wholeSteps = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 8 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);

function timesOf(_: uPlot, seconds: number[]): string[] {
  return seconds.map((second) => clockTime(second * 1000));
}

function pointedAt({ cursor: { idx }, data: [seconds, values] }: uPlot): string {
  const value = idx == null ? undefined : values?.[idx];
  const second = idx == null ? undefined : seconds[idx];
  if (value == null || second === undefined) return '';
  return `${formatNumber(value)} at ${clockTime(second * 1000)}`;
}
