import type { Numbers } from './rows.js';

/** A line of a chart. */
export interface ChartSeries {
  /** What is counted, as in `12 connections`; of several lines, what each is called. */
  readonly label: string;
  /** A color of the style sheet: `var(--series-1)`. */
  readonly color: string;
  /** One for each second of the chart. Null: not known, a gap. */
  readonly values: Numbers;
}
