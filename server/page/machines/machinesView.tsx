import './machines.css';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { MachineSummary } from '../../wire/machines.js';
import { formatNumber } from '../ui/numbers.js';
import { type Polled, usePolled } from '../usePolled.js';
import { ActorPanel } from './actorPanel.js';
import { type ChartState, chartOf } from './chart.js';
import { ChartView } from './chartView.js';
import { InspectorHint } from './inspectorHint.js';
import { type Moves, movesBetween, type Occupancy, occupancyOf } from './occupancy.js';

const pollMs = 1000;

/** The statecharts of the service, with the current states highlighted. */
export function MachinesView() {
  const [machines] = usePolled<MachineSummary[]>('api/machines', pollMs);
  const [chosen, setChosen] = useState<string>();
  const withId = (wanted?: string) => machines.value?.find(({ id }) => id === wanted);
  const machine = withId(chosen) ?? withId('activation') ?? machines.value?.[0];
  return (
    <div class="stack machines">
      <header class="stack machines-head">
        <h1>Machines</h1>
        <p class="quiet">
          The statecharts that this service runs. The current state is highlighted.
        </p>
      </header>
      <Failure machines={machines} />
      {machines.value && (
        <nav class="row" aria-label="Machines">
          {machines.value.map(({ id, actors }) => (
            <button
              key={id}
              type="button"
              class={`button ${id === machine?.id ? 'primary' : ''}`}
              aria-pressed={id === machine?.id}
              onClick={() => setChosen(id)}
            >
              {titleOf(id)} <span class="number">{formatNumber(actors.total)}</span>
            </button>
          ))}
        </nav>
      )}
      {machine && <Machine key={machine.id} machine={machine} />}
      {!machine && !machines.failure && <p class="quiet">Loading the statecharts …</p>}
      <InspectorHint />
    </div>
  );
}

const titles: Record<string, string> = {
  instance: 'Instance',
  activation: 'Activation',
  pubSubServer: 'Pub-sub servers',
  room: 'Watched rooms',
};

const titleOf = (id: string) => titles[id] ?? id;

function Failure({ machines: { failure } }: { machines: Polled<unknown> }) {
  if (!failure) return null;
  return (
    <div class="notice tone-bad" role="alert">
      <p class="notice-text">
        {failure.message}. The states below may be out of date. The page retries every second.
      </p>
    </div>
  );
}

function Machine({ machine }: { machine: MachineSummary }) {
  const { id, definition, delays, actors } = machine;
  const [hasActions, setHasActions] = useState(false);
  const [actor, setActor] = useState<{ id: string; states: readonly string[] }>();
  // Every answer has an equal definition in a new object.
  const definitionKey = JSON.stringify([definition, delays]);
  const chart = useMemo(() => chartOf(definition, delays), [definitionKey]);
  const leaves = actor
    ? new Map(actor.states.map((state) => [state, 1]))
    : new Map(Object.entries(actors.states));
  const occupancy = occupancyOf(chart, leaves);
  const { moves, look } = useMoves(chart, occupancy, actor?.id);
  const isOne = actor !== undefined || actors.total <= 1;
  return (
    <div class="machines-columns">
      <section class="card" aria-labelledby="machine-title">
        <div class="card-head">
          <h2 id="machine-title">{titleOf(id)}</h2>
          <span class="quiet small">{aboutWords(actors.total, actor?.id)}</span>
          <span class="spacer" />
          <label class="small machines-toggle">
            <input
              type="checkbox"
              checked={hasActions}
              onChange={({ currentTarget }) => setHasActions(currentTarget.checked)}
            />{' '}
            Actions
          </label>
        </div>
        <ChartView
          chart={chart}
          machine={id}
          occupancy={occupancy}
          total={isOne ? undefined : actors.total}
          moves={moves}
          look={look}
          hasActions={hasActions}
        />
        <p class="small quiet machines-legend">
          <span class="chart-initial" aria-hidden="true" /> initial state · ◷ delay · → target · ↺
          re-enter · [guard]
        </p>
      </section>
      <ActorPanel machine={id} total={actors.total} onLook={setActor} />
    </div>
  );
}

function aboutWords(total: number, actor: string | undefined): string {
  if (actor !== undefined) return actor;
  if (total === 0) return 'none running';
  return total === 1 ? 'one actor' : `${formatNumber(total)} actors, counted by state`;
}

const noMoves: Moves = { entered: new Set(), taken: new Set() };

/** What changed since the last poll. Switching to another actor is no change. */
function useMoves(chart: ChartState, occupancy: Occupancy, about: string | undefined) {
  const before = useRef<{ about: string | undefined; occupancy: Occupancy } | undefined>(undefined);
  const [moved, setMoved] = useState({ moves: noMoves, look: 0 });
  const key = JSON.stringify([about, ...occupancy]);
  useEffect(() => {
    const last = before.current;
    before.current = { about, occupancy };
    const moves =
      last && last.about === about ? movesBetween(chart, last.occupancy, occupancy) : noMoves;
    setMoved(({ look }) => ({ moves, look: look + 1 }));
  }, [key]);
  return moved;
}
