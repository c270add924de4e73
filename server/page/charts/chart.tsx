import './charts.css';
import type { ComponentChildren } from 'preact';
import { lazyView } from '../lazy.js';
import { formatNumber } from '../ui/numbers.js';
import { dayTime } from '../ui/time.js';
import type { ChartSeries } from './chartSeries.js';
import type { ChartMark } from './marks.js';

import { type RangeKind, rangeWords } from './ranges.js';
import type { Numbers } from './rows.js';
import { allRanges, cursor, kindAmong, shownRange, zooms } from './view.js';
import { isPartialAt, lineWords, numberWords, partialWords, valueAt } from './words.js';

const Plot = lazyView(() => import('./plot.js').then(({ Plot }) => Plot));

/** The properties of `Chart`. */
export interface ChartProps {
  title: string;
  /** The number of now, in large, such as `<Count value={connections} />`. */
  value?: ComponentChildren;
  /** Times of the points, ascending: of a `Timeline`. A point holds until the next one. */
  seconds: readonly number[];
  /** One or more lines. A line of several has its name and number below the chart. */
  series: readonly ChartSeries[];
  /** What happened: `marksOf(activity.value, clockSkewMs.value)`, or some of it. */
  marks?: readonly ChartMark[];
  /** 0 where some servers were missing in the numbers, which is underlined. Default: nothing is said of it. */
  complete?: Numbers;
  /** The ranges that the view offers, as given to its `RangeSelect`. Default: all. */
  kinds?: readonly RangeKind[];
}

const noMarks: readonly ChartMark[] = [];
const notTold: Numbers = [];

/**
 * Numbers over time, as a card. All charts of the page share the range, the zoom and the cursor (`view.ts`), so a
 * view needs one `<RangeSelect />` above its charts and nothing else. It is drawn again when its parent renders:
 * once a second is enough. Null in `series` is a gap. People point with mouse, finger or arrow keys; zoom by
 * dragging or `+`, and go back with a double click, `-`, Escape or the button of `RangeSelect`.
 *
 * ```tsx
 * const past = usePast(`server=${id}`, { connections, rooms });
 * <Chart
 *   title="Connections"
 *   value={<Count value={connections} />}
 *   seconds={past.seconds}
 *   series={[{ label: 'connections', color: 'var(--series-1)', values: past.column('connections') }]}
 *   marks={marks}
 * />
 * ```
 */
export function Chart({
  title,
  value,
  seconds,
  series,
  marks = noMarks,
  complete = notTold,
  kinds = allRanges,
}: ChartProps) {
  const { whole, shown } = shownRange(kinds);
  const head = zooms.value.length > 0 ? 'In the part shown' : rangeWords[kindAmong(kinds)].long;
  const isOne = series.length === 1;
  return (
    <figure class="card chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {value !== undefined && <span class="chart-value">{value}</span>}
        <span class="visually-hidden">
          {series.map(({ label, values }) => {
            const about = isOne ? head : `${label}, ${head.toLowerCase()}`;
            return ` ${lineWords(about, seconds, values, shown)}`;
          })}
        </span>
        <Reading seconds={seconds} series={isOne ? series : []} complete={complete} />
      </figcaption>
      <Plot
        title={title}
        seconds={seconds}
        series={series}
        marks={marks}
        complete={complete}
        range={shown}
        whole={whole}
      />
      {!isOne && <Legend seconds={seconds} series={series} />}
    </figure>
  );
}

/** What the chart shows at the cursor. */
function Reading({
  seconds,
  series,
  complete,
}: {
  seconds: readonly number[];
  series: readonly ChartSeries[];
  complete: Numbers;
}) {
  const { value: at } = cursor;
  if (at === undefined) return null;
  const numbers = series.map(({ values }) => numberWords(valueAt(seconds, values, at)));
  return (
    <span class="chart-reading quiet small" aria-hidden="true">
      {[...numbers, dayTime(at * 1000)].join(' at ')}
      {isPartialAt(seconds, complete, at) && `, ${partialWords}`}
    </span>
  );
}

/** The lines by name, with their numbers at the cursor, or now. */
function Legend({
  seconds,
  series,
}: {
  seconds: readonly number[];
  series: readonly ChartSeries[];
}) {
  const at = cursor.value ?? Number.POSITIVE_INFINITY;
  return (
    <ul class="chart-legend small" aria-hidden="true">
      {series.map(({ label, color, values }) => {
        const value = valueAt(seconds, values, at);
        return (
          <li key={label}>
            <span class="swatch" style={{ background: color }} />
            <span class="cut">{label}</span>
            <span class="number">{value === null ? '–' : formatNumber(value)}</span>
          </li>
        );
      })}
    </ul>
  );
}
