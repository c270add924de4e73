import { useEffect, useState } from 'preact/hooks';
import type { ActorView, MachineView } from '../../wire/machines.js';
import { visible } from '../model/roomNames.js';
import { plainNode } from '../tree/plainNode.js';
import { Tree } from '../tree/tree.js';
import { usePolled } from '../usePolled.js';

const pollMs = 1000;
const listed = 50;
/** The search matches parts of ids, so the chosen id may not be the first result. */
const searched = 20;

/** The actors of a machine: a list to choose from, and the context of the chosen one. */
export function ActorPanel(props: {
  machine: string;
  total: number;
  /** The id of the chosen actor. */
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
  onLook: (actor: { id: string; states: readonly string[] } | undefined) => void;
}) {
  const { machine, total, chosen, onChoose, onLook } = props;
  const [search, setSearch] = useState('');
  const [list] = usePolled<MachineView>(pathOf(machine, search, listed), pollMs);
  const [look] = usePolled<MachineView>(
    chosen === undefined ? undefined : pathOf(machine, chosen, searched),
    pollMs,
  );
  const actors = list.value?.actors ?? [];
  const only = total === 1 && search === '' ? actors[0] : undefined;
  const actor =
    chosen === undefined
      ? only
      : [...(look.value?.actors ?? []), ...actors].find(({ id }) => id === chosen);
  const key = chosen === undefined ? undefined : JSON.stringify([actor?.id, actor?.states]);
  useEffect(() => onLook(chosen === undefined ? undefined : actor), [key]);
  return (
    <section class="card statecharts-actors" aria-labelledby="actors-title">
      <div class="card-head">
        <h2 id="actors-title">{total === 1 ? 'Actor' : 'Actors'}</h2>
        <span class="spacer" />
        {chosen !== undefined && (
          <button type="button" class="button bare small" onClick={() => onChoose(undefined)}>
            Show all
          </button>
        )}
      </div>
      {total > 1 && (
        <div class="field">
          <label for="actor-search">Search by id</label>
          <input
            id="actor-search"
            class="input"
            type="search"
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </div>
      )}
      {total > 1 && <ActorList actors={actors} chosen={chosen} onChoose={onChoose} />}
      {list.value?.next !== undefined && (
        <p class="quiet small">Only the first {listed} are listed. Search for others.</p>
      )}
      {list.value && actors.length === 0 && (
        <p class="quiet">{total === 0 ? 'None running.' : 'No matching ids.'}</p>
      )}
      {actor && <ActorDetails actor={actor} />}
      {chosen !== undefined && !actor && look.value && (
        <p class="quiet">
          {visible(chosen)} is not here: it was removed, or another instance of the service has it.
        </p>
      )}
    </section>
  );
}

const pathOf = (machine: string, search: string, limit: number) =>
  `api/machines/${encodeURIComponent(machine)}?${new URLSearchParams({ limit: `${limit}`, search })}`;

function ActorList(props: {
  actors: readonly ActorView[];
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}) {
  const { actors, chosen, onChoose } = props;
  return (
    <ul class="statecharts-list" aria-label="Actors">
      {actors.map(({ id, states }) => (
        <li key={id}>
          <button
            type="button"
            class="statecharts-actor"
            aria-pressed={id === chosen}
            onClick={() => onChoose(id === chosen ? undefined : id)}
          >
            <span class="cut mono">{visible(id)}</span>
            <span class="cut small quiet">{states.map(lastKeys).join(' · ')}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The last key of a path; the region is obvious. */
const lastKeys = (path: string) => path.split('.').slice(-1).join('.');

function ActorDetails({ actor: { id, status, context } }: { actor: ActorView }) {
  const node = plainNode(context, { key: 'context', label: '' });
  return (
    <div class="stack statecharts-context">
      <h3 class="cut mono" title={visible(id)}>
        {visible(id)}
      </h3>
      {status !== 'active' && <p class="badge warn">{status}</p>}
      <Tree nodes={node.children?.(1000) ?? [node]} label={`Context of ${visible(id)}`} />
    </div>
  );
}
