import { useRef } from 'preact/hooks';
import { useWidth } from '../rooms/useWidth.js';
import type { ChartSeries } from './chartSeries.js';
import { areaWidth, plotHeight, scaleOf } from './drawing.js';
import { Lines } from './lines.js';
import type { ChartMark } from './marks.js';
import { Overlay } from './overlay.js';
import type { TimeRange } from './ranges.js';
import type { Numbers } from './rows.js';

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

/** The lines of a chart. What moves with the cursor is above them, so that they are not drawn again. */
export function Plot(props: PlotProps) {
  const { seconds, series, range } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const values = series.map((line) => line.values);
  const scale = scaleOf(seconds, values, range, areaWidth(width));
  return (
    <div class="plot">
      <div ref={box} class="plot-box" style={{ height: `${plotHeight}px` }} aria-hidden="true">
        {width > 0 && <Lines {...props} scale={scale} width={width} />}
      </div>
      <Overlay {...props} width={width} toY={scale.toY} />
    </div>
  );
}
