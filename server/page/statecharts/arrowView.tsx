import { headPath, linePath } from './arrowPath.js';
import { type Arrow, labelPadding } from './drawing.js';
import type { Layout, Place } from './layout.js';
import { labelSize, lineHeight } from './words.js';
import { Words } from './wordsView.js';

/** An arrow with the transitions that take it. */
export function ArrowView(props: {
  arrow: Arrow;
  way: Layout['arrows'][string];
  /** Whether somebody is where it begins. */
  isOpen: boolean;
  /** Keys of the transitions that were taken, with what restarts their flash. */
  taken: ReadonlyMap<string, number>;
}) {
  const { arrow, way, isOpen, taken } = props;
  const looks = arrow.labels.flatMap(({ key }) => taken.get(key) ?? []);
  const isTaken = looks.length > 0;
  const line = linePath(way.path);
  const classes = ['arrow'];
  if (isOpen) classes.push('is-open');
  if (isTaken) classes.push('is-taken');
  return (
    <g class={classes.join(' ')} data-arrow={arrow.id}>
      {isTaken && <path key={Math.max(...looks)} class="arrow-flash" d={line} />}
      <path class="arrow-near" d={line} />
      <path class="arrow-line" d={line} />
      <path class="arrow-head" d={headPath(way.path)} />
      {way.label && <Labels arrow={arrow} place={way.label} taken={taken} />}
    </g>
  );
}

function Labels(props: { arrow: Arrow; place: Place; taken: ReadonlyMap<string, number> }) {
  const { arrow, place, taken } = props;
  const [x, y, width, height] = place;
  const lines = arrow.labels.flatMap(({ key, lines }) => lines.map((line) => ({ key, line })));
  return (
    <g class="arrow-label">
      <title>{arrow.labels.map(({ text }) => text).join('\n')}</title>
      <rect {...{ x, y, width, height }} rx={5} />
      {lines.map(({ key, line }, i) => (
        <Words
          key={`${key} ${line}`}
          class={taken.has(key) ? 'is-taken' : ''}
          x={x + labelPadding.x}
          y={y + labelPadding.y + lineHeight * i + labelSize}
          max={width - 2 * labelPadding.x}
          text={line}
        />
      ))}
    </g>
  );
}
