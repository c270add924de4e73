import { formatNumber } from '../ui/numbers.js';
import { headPadding, type Part } from './drawing.js';
import type { Place } from './layout.js';
import { labelSize, lineHeight, nameHeight, nameSize, widthOf } from './words.js';
import { Words } from './wordsView.js';

interface Placed {
  part: Part;
  place: Place;
  /** Of the actors in it. */
  count: number;
}

const classOf = ({ kind }: Part, count: number) => `part is-${kind} ${count > 0 ? 'is-lit' : ''}`;

/** The box of a state, or a mark that stands for states. */
export function PartView(
  props: Placed & {
    /** Restarts the flash; undefined: nobody entered. */
    flash: number | undefined;
  },
) {
  const { part, place, count, flash } = props;
  const { id, kind, fullName } = part;
  const [x, y, width, height] = place;
  if (kind === 'initial')
    return <circle class="part-initial" cx={x + width / 2} cy={y + height / 2} r={width / 2} />;
  const radius = kind === 'any' ? height / 2 : 8;
  return (
    <g class={classOf(part, count)} data-part={id}>
      <title>{fullName}</title>
      {flash !== undefined && (
        <rect key={flash} class="part-flash" {...{ x, y, width, height }} rx={radius} />
      )}
      <rect class="part-box" {...{ x, y, width, height }} rx={radius} />
      {kind === 'final' && (
        <rect class="part-inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={6} />
      )}
    </g>
  );
}

/** The name of a state, what it does, and how many are in it. */
export function PartHead(
  props: Placed & {
    /** Undefined: a single actor, without a number. */
    total: number | undefined;
  },
) {
  const { part, place, count, total } = props;
  const { kind, name, lines } = part;
  const [left, y, width] = place;
  const room = width - 2 * headPadding.x;
  const x = left + headPadding.x;
  const top = y + headPadding.y;
  if (kind === 'initial') return null;
  return (
    <g class={`part-head ${classOf(part, count)}`} data-head={part.id}>
      {kind === 'any' ? (
        <Words class="part-line" x={x} y={y + lineHeight - 1} max={room} text={name} />
      ) : (
        <Words class="part-name" x={x} y={top + nameSize + 1} max={room} text={name} />
      )}
      {lines.map((line, i) => (
        <Words
          key={line}
          class="part-line"
          x={x}
          y={top + nameHeight + lineHeight * i + labelSize}
          max={room}
          text={line}
        />
      ))}
      {total !== undefined && count > 0 && kind !== 'region' && kind !== 'any' && (
        <CountBadge right={left + width - 8} top={top} count={count} />
      )}
    </g>
  );
}

function CountBadge({ right, top, count }: { right: number; top: number; count: number }) {
  const text = formatNumber(count);
  const width = widthOf(text, labelSize) + 12;
  return (
    <g class="part-count">
      <rect x={right - width} y={top} width={width} height={lineHeight + 2} rx={9} />
      <text x={right - width / 2} y={top + labelSize + 1.5}>
        {text}
      </text>
    </g>
  );
}
