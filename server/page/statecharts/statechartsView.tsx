import './statecharts.css';
import type { MachineSummary } from '../../wire/machines.js';
import { query, setQuery } from '../router.js';
import { formatNumber } from '../ui/numbers.js';
import { type Polled, usePolled } from '../usePolled.js';
import { ChartCard } from './chartCard.js';
import { InspectorHint } from './inspectorHint.js';
import { titleOf } from './titles.js';

const pollMs = 1000;

/** The statecharts of the service, with the current states highlighted. The address has the chosen one. */
export function StatechartsView() {
  const [machines] = usePolled<MachineSummary[]>('api/machines', pollMs);
  const withId = (wanted: string | null) => machines.value?.find(({ id }) => id === wanted);
  const machine = withId(query.value.get('machine')) ?? withId('activation') ?? machines.value?.[0];
  return (
    <div class="stack statecharts">
      <header class="stack statecharts-top">
        <h1>Statecharts</h1>
        <p class="quiet">
          What this service runs. The current states are highlighted, and transitions flash as they
          are taken.
        </p>
      </header>
      <Failure machines={machines} />
      {machines.value && (
        <nav class="row" aria-label="Statecharts">
          {machines.value.map(({ id, actors }) => (
            <button
              key={id}
              type="button"
              class={`button ${id === machine?.id ? 'primary' : ''}`}
              aria-pressed={id === machine?.id}
              onClick={() => setQuery({ machine: id, actor: undefined }, 'push')}
            >
              {titleOf(id)} <span class="number">{formatNumber(actors.total)}</span>
            </button>
          ))}
        </nav>
      )}
      {machine && <ChartCard key={machine.id} machine={machine} />}
      {!machine && !machines.failure && <p class="quiet">Loading the statecharts …</p>}
      <InspectorHint />
    </div>
  );
}

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
