import { useRef, useState } from 'preact/hooks';
import { around, plotHeight } from './drawing.js';
import { nextMarks } from './keys.js';
import type { PlacedMarks } from './marks.js';
import { cursor } from './view.js';
import { markWords } from './words.js';

/** What happened, as buttons above the lines. Tab reaches one of them, the arrow keys reach the others. */
export function Marks({ title, placed }: { title: string; placed: readonly PlacedMarks[] }) {
  const list = useRef<HTMLUListElement>(null);
  const [tabbedId, setTabbedId] = useState<string>();
  if (placed.length === 0) return null;
  const index = placed.findIndex(({ marks }) => marks.some(({ id }) => id === tabbedId));
  const tabbed = index === -1 ? placed.length - 1 : index;
  const point = ({ marks }: PlacedMarks) => {
    setTabbedId(marks[0].id);
    cursor.value = marks[0].second;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = nextMarks(event.key, placed, tabbed);
    if (next === undefined) return;
    event.preventDefault();
    list.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <ul
      ref={list}
      class="plot-marks"
      style={{ left: `${around.left}px` }}
      aria-label={`What happened: ${title}`}
      onKeyDown={onKeyDown}
    >
      {placed.map((each, i) => (
        <li key={each.marks[0].id} style={{ left: `${each.x}px` }}>
          <button
            type="button"
            class="plot-mark"
            tabIndex={i === tabbed ? 0 : -1}
            aria-label={spoken(each)}
            onFocus={() => point(each)}
            onPointerEnter={() => point(each)}
            onClick={() => point(each)}
          >
            <span class="plot-mark-shape" data-level={each.level} aria-hidden="true">
              {each.marks.length > 1 ? each.marks.length : ''}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What is said of marks. It has the number that is shown. */
function spoken(placed: PlacedMarks): string {
  const words = markWords(placed).join('\n');
  const { length } = placed.marks;
  return length > 1 ? `${length} events:\n${words}` : words;
}

const wordsWidth = 300;

/** The words of marks, below them. */
export function MarkWords({ marks, width }: { marks: PlacedMarks; width: number }) {
  const whole = around.left + width + around.right;
  const own = Math.min(wordsWidth, whole);
  const middle = around.left + marks.x - own / 2;
  const left = Math.min(Math.max(middle, 0), whole - own);
  // Below the lines, so that it hides none.
  const top = plotHeight - around.bottom + 4;
  const style = { top: `${top}px`, left: `${left}px`, maxWidth: `${own}px` };
  return (
    <div class="plot-words" style={style} aria-hidden="true">
      {markWords(marks).map((words) => (
        <p key={words}>{words}</p>
      ))}
    </div>
  );
}
