import { useState } from 'preact/hooks';
import type { ChartSeries } from './chartSeries.js';
import { areaHeight, around } from './drawing.js';
import { actionOf } from './keys.js';
import type { PlacedMarks } from './marks.js';
import { momentAt, rangeBetween, shareOf, type TimeRange } from './ranges.js';
import type { Numbers } from './rows.js';
import { cursor, zoomBack, zooms, zoomTo } from './view.js';
import { markWords, momentWords, valueAt } from './words.js';

interface AreaProps {
  title: string;
  seconds: readonly number[];
  series: readonly ChartSeries[];
  complete: Numbers;
  placed: readonly PlacedMarks[];
  /** The marks at the cursor. */
  near: PlacedMarks | undefined;
  range: TimeRange;
  whole: TimeRange;
  /** Pixels. */
  width: number;
  /** Called with whether the pointer drags. */
  onDrag: (isDragging: boolean) => void;
  /** Pixels from the top of the area. */
  toY: (value: number) => number;
}

/** A shorter drag is a click. */
const leastDrag = 6;

/** The area that shows the lines. It points with the shared cursor, and zooms to what is dragged over. */
export function Area(props: AreaProps) {
  const { title, seconds, series, complete, placed, near, range, whole, width, onDrag, toY } =
    props;
  const [dragFrom, setDragFrom] = useState<number>();
  const { value: at } = cursor;
  const isInside = at !== undefined && at >= range.from && at <= range.to;
  const x = isInside ? shareOf(at, range) * width : undefined;
  const xOf = ({ clientX, currentTarget }: { clientX: number; currentTarget: HTMLElement }) =>
    Math.min(Math.max(clientX - currentTarget.getBoundingClientRect().left, 0), width);
  const point = (pixels: number) => {
    cursor.value = momentAt(pixels / width, range);
  };
  const drag = (from: number | undefined) => {
    setDragFrom(from);
    onDrag(from !== undefined);
  };
  const drop = (pixels: number) => {
    const from = dragFrom;
    drag(undefined);
    if (from === undefined || Math.abs(pixels - from) < leastDrag) return;
    zoomTo(rangeBetween(momentAt(from / width, range), momentAt(pixels / width, range), whole));
  };
  const shownAt = isInside ? at : range.to;
  return (
    <div
      class="plot-area"
      role="slider"
      tabIndex={0}
      aria-label={`${title} over time`}
      aria-describedby="chart-keys"
      aria-valuemin={Math.round(range.from)}
      aria-valuemax={Math.round(range.to)}
      aria-valuenow={Math.round(shownAt)}
      aria-valuetext={[
        momentWords(seconds, series, shownAt, complete),
        ...(near ? markWords(near) : []),
      ].join('. ')}
      style={{
        left: `${around.left}px`,
        top: `${around.top}px`,
        width: `${width}px`,
        height: `${areaHeight}px`,
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        point(xOf(event));
        drag(xOf(event));
      }}
      onPointerMove={(event) => point(xOf(event))}
      onPointerUp={(event) => drop(xOf(event))}
      onPointerCancel={() => drag(undefined)}
      onFocus={() => {
        // The present moves on, and would be read out again every second.
        cursor.value ??= range.to;
      }}
      onBlur={() => {
        cursor.value = undefined;
      }}
      onDblClick={zoomBack}
      onKeyDown={(event) => noteKey(event, range)}
    >
      {placed.map(({ x: left, level, marks: [{ id }] }) => (
        <span key={id} class="plot-mark-line" data-level={level} style={{ left: `${left}px` }} />
      ))}
      {dragFrom !== undefined && x !== undefined && (
        <span
          class="plot-drag"
          style={{ left: `${Math.min(dragFrom, x)}px`, width: `${Math.abs(x - dragFrom)}px` }}
        />
      )}
      {x !== undefined && at !== undefined && (
        <>
          <span class="plot-cursor" style={{ left: `${x}px` }} />
          {series.map(({ label, color, values }) => {
            const value = valueAt(seconds, values, at);
            if (value === null) return null;
            const style = { left: `${x}px`, top: `${toY(value)}px`, background: color };
            return <span key={label} class="plot-dot" style={style} />;
          })}
        </>
      )}
    </div>
  );
}

function noteKey(event: KeyboardEvent, range: TimeRange): void {
  const isCombined = event.ctrlKey || event.metaKey || event.altKey;
  const action = isCombined ? undefined : actionOf(event.key, range, cursor.value);
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  if (action.kind === 'point') cursor.value = action.second;
  else if (action.kind === 'zoom') zoomTo(action.range);
  else if (zooms.value.length > 0) zoomBack();
  else cursor.value = undefined;
}
