import 'uplot/dist/uPlot.min.css';
import { useRef } from 'preact/hooks';
import { useWidth } from '../rooms/useWidth.js';
import type { ChartSeries } from './chartSeries.js';
import { plotHeight } from './drawing.js';
import type { ChartMark } from './marks.js';
import { Overlay } from './overlay.js';
import type { TimeRange } from './ranges.js';
import type { Numbers } from './rows.js';
import { useCanvas } from './useCanvas.js';

/** What a plot shows. */
export interface PlotProps {
  title: string;
  seconds: readonly number[];
  series: readonly ChartSeries[];
  marks: readonly ChartMark[];
  /** 0 where some servers were missing in the numbers. */
  complete: Numbers;
  range: TimeRange;
  /** What the zoom may show. */
  whole: TimeRange;
}

/** The lines of a chart on a canvas. What moves with the cursor is above it, so that they are not drawn again. */
export function Plot(props: PlotProps) {
  const { seconds, series, complete, range } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const plot = useCanvas(box, width, {
    seconds,
    lines: series.map(({ values }) => values),
    colors: series.map(({ color }) => color),
    complete,
    range,
  });
  return (
    <div class="plot">
      <div ref={box} class="plot-box" style={{ height: `${plotHeight}px` }} aria-hidden="true" />
      <Overlay {...props} width={width} toY={(value) => plot.current?.valToPos(value, 'y')} />
    </div>
  );
}
