import './drawing.css';
import { useMemo } from 'preact/hooks';
import { ArrowView } from './arrowView.js';
import { type Drawing, headPadding } from './drawing.js';
import { type Layout, type Place, partsOf } from './layout.js';
import type { Occupancy } from './occupancy.js';
import { PartHead, PartView } from './partView.js';
import type { Shown as Moves } from './useMoves.js';
import { Viewport } from './viewport.js';
import { labelSize, lineHeight } from './words.js';
import { Words } from './wordsView.js';

/** A statechart with arrows. Hidden from screen readers, which read the list. */
export function DrawingView(props: {
  drawing: Drawing;
  layout: Layout;
  label: string;
  occupancy: Occupancy;
  /** Number of actors; undefined: a single one, shown without numbers. */
  total: number | undefined;
  moves: Moves;
}) {
  const { drawing, layout, label, occupancy, total, moves } = props;
  const parts = useMemo(() => placedParts(drawing, layout), [drawing, layout]);
  const countOf = (id: string) => occupancy.get(id) ?? 0;
  const first = parts.find(({ part }) => part.parts.length === 0 && countOf(part.id) > 0);
  const flashOf = (id: string) => (moves.entered.has(id) ? moves.look : undefined);
  return (
    <Viewport label={label} width={layout.width} height={layout.height} start={first?.place}>
      {parts.map((each) => (
        <PartView
          key={each.part.id}
          {...each}
          count={countOf(each.part.id)}
          flash={flashOf(each.part.id)}
        />
      ))}
      <Arrows drawing={drawing} layout={layout} occupancy={occupancy} moves={moves} />
      {/* Over the arrows, which cross the heads of boxes. */}
      {parts.map((each) => (
        <PartHead key={each.part.id} {...each} count={countOf(each.part.id)} total={total} />
      ))}
      {drawing.root.lines.map((line, i) => (
        <Words
          key={line}
          class="part-line"
          x={0}
          y={headPadding.y + lineHeight * i + labelSize}
          max={layout.width}
          text={line}
        />
      ))}
    </Viewport>
  );
}

function placedParts({ root }: Drawing, layout: Layout) {
  return partsOf(root).flatMap((part) => {
    const place: Place | undefined = layout.parts[part.id];
    return place ? [{ part, place }] : [];
  });
}

function Arrows(props: { drawing: Drawing; layout: Layout; occupancy: Occupancy; moves: Moves }) {
  const { drawing, layout, occupancy, moves } = props;
  // The mark of a box stands for it.
  const isOccupied = (id: string) => (occupancy.get(id.replace(/@any$/, '')) ?? 0) > 0;
  return (
    <>
      {drawing.arrows.map((arrow) => {
        const way = layout.arrows[arrow.id];
        return (
          way && (
            <ArrowView
              key={arrow.id}
              arrow={arrow}
              way={way}
              isOpen={isOccupied(arrow.from)}
              taken={moves.taken}
            />
          )
        );
      })}
    </>
  );
}
