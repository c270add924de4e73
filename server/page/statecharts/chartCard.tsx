import { useMemo, useState } from 'preact/hooks';
import type { MachineSummary } from '../../wire/machines.js';
import { query, setQuery } from '../router.js';
import { formatNumber } from '../ui/numbers.js';
import { ActorPanel } from './actorPanel.js';
import { Boxes } from './boxes.js';
import { chartOf } from './chart.js';
import { drawingOf } from './drawing.js';
import { DrawingView } from './drawingView.js';
import { fits } from './layout.js';
import { occupancyOf } from './occupancy.js';
import { titleOf } from './titles.js';
import { useLayout } from './useLayout.js';
import { useMoves } from './useMoves.js';

/** The chart of one machine beside its actors. */
export function ChartCard({ machine }: { machine: MachineSummary }) {
  const { id, actors } = machine;
  const [hasActions, setHasActions] = useState(false);
  const [actor, setActor] = useState<{ id: string; states: readonly string[] }>();
  const chosen = query.value.get('actor') ?? undefined;
  const isList = query.value.get('as') === 'list';
  return (
    <div class="statecharts-columns">
      <section class="card statecharts-head" aria-labelledby="machine-title">
        <div class="card-head">
          <h2 id="machine-title">{titleOf(id)}</h2>
          <span class="quiet small">{aboutWords(actors.total, actor?.id)}</span>
          <span class="spacer" />
          <label class="small statecharts-toggle">
            <input
              type="checkbox"
              checked={hasActions}
              onChange={({ currentTarget }) => setHasActions(currentTarget.checked)}
            />{' '}
            Actions
          </label>
          <Switch isList={isList} />
        </div>
        <Chart machine={machine} actor={actor} hasActions={hasActions} isList={isList} />
      </section>
      <ActorPanel
        machine={id}
        total={actors.total}
        chosen={chosen}
        onChoose={(one) => setQuery({ actor: one })}
        onLook={setActor}
      />
    </div>
  );
}

function Switch({ isList }: { isList: boolean }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has a frame
    <span class="statecharts-switch" role="group" aria-label="Show as">
      <button
        type="button"
        class="button"
        aria-pressed={!isList}
        onClick={() => setQuery({ as: undefined })}
      >
        Chart
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={isList}
        onClick={() => setQuery({ as: 'list' })}
      >
        List
      </button>
    </span>
  );
}

/** Drawn with arrows, with the list for screen readers; or the list alone, also while there is no layout. */
function Chart(props: {
  machine: MachineSummary;
  actor: { id: string; states: readonly string[] } | undefined;
  hasActions: boolean;
  isList: boolean;
}) {
  const { machine, actor, hasActions, isList } = props;
  const { id, definition, delays, actors } = machine;
  // Every answer has an equal definition in a new object.
  const definitionKey = JSON.stringify([definition, delays]);
  const chart = useMemo(() => chartOf(definition, delays), [definitionKey]);
  const drawing = useMemo(() => drawingOf(chart, hasActions), [chart, hasActions]);
  const found = useLayout(id, hasActions);
  const layout = found && fits(drawing, found) ? found : undefined;
  const leaves = actor
    ? new Map(actor.states.map((state) => [state, 1]))
    : new Map(Object.entries(actors.states));
  const occupancy = occupancyOf(chart, leaves);
  const isOne = actor !== undefined || actors.total <= 1;
  const moves = useMoves(chart, occupancy, { about: actor?.id, isOne });
  const total = isOne ? undefined : actors.total;
  const isDrawn = layout !== undefined && !isList;
  const shown = { occupancy, total, moves };
  return (
    <>
      {isDrawn && (
        <DrawingView
          key={`${id} ${hasActions}`}
          drawing={drawing}
          layout={layout}
          label={`Chart of ${titleOf(id)}`}
          {...shown}
        />
      )}
      <div class={isDrawn ? 'visually-hidden' : ''}>
        <Boxes chart={chart} machine={id} hasActions={hasActions} isHidden={isDrawn} {...shown} />
      </div>
      <p class="small quiet statecharts-legend">
        <span class="chart-initial" aria-hidden="true" /> initial state
        {isDrawn
          ? ' · [guard] · dashed: regions, which are active together · zoom: + − 0, drag to move'
          : ' · ◷ delay · → target · ↺ re-enter · [guard]'}
      </p>
    </>
  );
}

function aboutWords(total: number, actor: string | undefined): string {
  if (actor !== undefined) return actor;
  if (total === 0) return 'none running';
  return total === 1 ? 'one actor' : `${formatNumber(total)} actors, counted by state`;
}
