import { formatCompact } from '../ui/numbers.js';
import { clockMinutes, clockTime } from '../ui/time.js';
import type { ChartSeries } from './chartSeries.js';
import { areaHeight, areaWidth, around, plotHeight, type Scale } from './drawing.js';
import type { PlotProps } from './plot.js';
import type { TimeRange } from './ranges.js';
import { gapsIn, partialIn } from './rows.js';
import { stepPaths } from './stepPath.js';
import { numberTicks, timeTicks } from './ticks.js';

interface LinesProps extends PlotProps {
  scale: Scale;
  /** Pixels of all, with the axes. */
  width: number;
}

const underlinePixels = 3;
/** Half of a line of 2 pixels is beyond the area at 0. */
const lineMargin = 1;

/** The picture of a plot: axes, gaps, lines, and what is underlined. */
export function Lines({ seconds, series, complete, range, width, scale }: LinesProps) {
  const inner = areaWidth(width);
  const values = series.map((line) => line.values);
  return (
    <svg class="plot-lines" aria-hidden="true" width={width} height={plotHeight}>
      <Axes range={range} scale={scale} width={inner} />
      <svg
        aria-hidden="true"
        x={around.left}
        y={around.top - lineMargin}
        width={inner}
        height={areaHeight + 2 * lineMargin}
        viewBox={`0 ${-lineMargin} ${inner} ${areaHeight + 2 * lineMargin}`}
      >
        {/* Times without numbers would otherwise look like zeros. */}
        <Times class="plot-gap" times={gapsIn(seconds, values, range)} scale={scale} />
        {series.map((line) => (
          <Line
            key={line.label}
            line={line}
            seconds={seconds}
            range={range}
            scale={scale}
            isFilled={series.length === 1}
          />
        ))}
        <Times
          class="plot-partial"
          times={partialIn(seconds, complete, range)}
          scale={scale}
          height={underlinePixels}
        />
      </svg>
    </svg>
  );
}

function Axes({ range, scale, width }: { range: TimeRange; scale: Scale; width: number }) {
  const { left, top } = around;
  const times = timeTicks(range, width);
  const words = times.step >= 60 ? clockMinutes : clockTime;
  return (
    <g transform={`translate(${left} ${top})`}>
      {numberTicks(scale.highest, areaHeight).values.map((value) => {
        const y = Math.round(scale.toY(value));
        return (
          <g key={value}>
            <path class="plot-grid" d={`M0 ${y - 0.5}H${width}`} />
            <text class="plot-number" x={-6} y={y}>
              {formatCompact(value)}
            </text>
          </g>
        );
      })}
      {times.values.map((second) => (
        <text key={second} class="plot-time" x={scale.toX(second)} y={areaHeight + 16}>
          {words(second * 1000)}
        </text>
      ))}
    </g>
  );
}

interface LineProps {
  line: ChartSeries;
  seconds: readonly number[];
  range: TimeRange;
  scale: Scale;
  isFilled: boolean;
}

function Line({ line, seconds, range, scale, isFilled }: LineProps) {
  const paths = stepPaths(seconds, line.values, range, scale);
  const below = () => paths.map(({ path, from }) => `${path}V${areaHeight}H${from}Z`).join('');
  return (
    <>
      {isFilled && <path class="plot-below" d={below()} style={{ fill: line.color }} />}
      <path
        class="plot-line"
        d={paths.map(({ path }) => path).join('')}
        style={{ stroke: line.color }}
      />
    </>
  );
}

/** Times from the bottom of the area up to a height. */
function Times({
  class: name,
  times,
  scale,
  height = areaHeight,
}: {
  class: string;
  times: readonly TimeRange[];
  scale: Scale;
  height?: number;
}) {
  const rects = times.map(({ from, to }) => {
    const [left, right] = [scale.toX(from), scale.toX(to)].map((x) => Math.round(x * 2) / 2);
    return `M${left} ${areaHeight}V${areaHeight - height}H${right}V${areaHeight}Z`;
  });
  return rects.length > 0 ? <path class={name} d={rects.join('')} /> : null;
}
