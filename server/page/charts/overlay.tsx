import { useMemo, useState } from 'preact/hooks';
import { Area } from './area.js';
import { areaWidth } from './drawing.js';
import { Marks, MarkWords } from './markButtons.js';
import { marksNear, placeMarks } from './marks.js';
import type { PlotProps } from './plot.js';
import { shareOf } from './ranges.js';
import { cursor } from './view.js';

interface OverlayProps extends PlotProps {
  /** Pixels of the lines and their axes. */
  width: number;
  /** Pixels of a number from the top of the area. */
  toY: (value: number) => number;
}

/** Marks within so many pixels of the cursor are told of. */
const nearPixels = 12;

/** What is above the lines: marks, the cursor that all charts share, and zoom by mouse, finger and keyboard. */
export function Overlay(props: OverlayProps) {
  const { title, marks, range, width, ...rest } = props;
  const inner = areaWidth(width);
  const placed = useMemo(
    () => placeMarks(marks, range, inner),
    [marks, range.from, range.to, inner],
  );
  const [isPointed, setIsPointed] = useState(false);
  const [isDragging, setIsDragging] = useState(false);
  const { value: at } = cursor;
  const isTold = isPointed && !isDragging && at !== undefined;
  const near = isTold ? marksNear(placed, shareOf(at, range) * inner, nearPixels) : undefined;
  if (inner === 0) return null;
  return (
    <div
      class="plot-overlay"
      onPointerEnter={() => setIsPointed(true)}
      onPointerLeave={({ pointerType }) => {
        // A finger leaves when it is lifted. What it pointed at stays until it taps elsewhere.
        if (pointerType !== 'mouse') return;
        setIsPointed(false);
        cursor.value = undefined;
      }}
      onFocusIn={() => setIsPointed(true)}
      onFocusOut={() => setIsPointed(false)}
    >
      <Area
        {...rest}
        title={title}
        range={range}
        placed={placed}
        near={near}
        width={inner}
        onDrag={setIsDragging}
      />
      <Marks title={title} placed={placed} />
      {near && <MarkWords marks={near} width={inner} />}
    </div>
  );
}
