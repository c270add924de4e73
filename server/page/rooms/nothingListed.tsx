import type { ComponentChildren } from 'preact';
import { isCurrent, roomCount } from '../model/fleet.js';
import { noNumbersOfNow } from '../model/statusWords.js';
import { NobodyConnected, RoomsUnknown } from '../overview/emptyStates.js';
import { emptyRooms } from './emptyRooms.js';
import { change } from './listedRooms.js';
import { isNarrowed, type ListSettings } from './listSettings.js';
import type { ServerFilter } from './useServerFilter.js';

/** In place of the table: why no room is listed. */
export function NothingListed({
  settings,
  serverFilter,
  isBusy,
}: {
  settings: ListSettings;
  serverFilter: ServerFilter;
  isBusy: boolean;
}) {
  const { show } = settings;
  if (serverFilter === 'asking' && !isCurrent.value)
    return <Empty title="Not known">{noNumbersOfNow}</Empty>;
  if (isBusy || serverFilter === 'asking')
    return <Empty title="Looking …">The rooms appear here as they are found.</Empty>;
  if (serverFilter === 'unknown' || serverFilter === 'failed')
    return (
      <Empty title="Not known">
        {serverFilter === 'failed'
          ? 'The service did not say which rooms are on this server. The page keeps asking.'
          : 'This server has not reported its rooms, or is not there.'}
      </Empty>
    );
  if (isNarrowed(settings)) return <NoMatch settings={settings} />;
  if (show === 'connected')
    return (
      <div class="card">{roomCount.value === null ? <RoomsUnknown /> : <NobodyConnected />}</div>
    );
  if (show === 'empty' && emptyRooms.value.next !== undefined)
    return <Empty title="None found so far">Read more to go on.</Empty>;
  const [title, words] = texts[show];
  return <Empty title={title}>{words}</Empty>;
}

const texts = {
  empty: [
    'No room without connections',
    'Neither in the metadata store, nor has one become empty since this page was opened.',
  ],
  diverged: ['No finding', 'In no watched room do the servers hold different documents.'],
  unreadable: ['No finding', 'Every server of every watched room could be read.'],
} as const;

function NoMatch({ settings }: { settings: ListSettings }) {
  return (
    <Empty title="No matching rooms">
      {settings.show === 'connected'
        ? 'Only rooms with connections are listed. The search covers both displayed and raw names.'
        : 'The search covers both displayed and raw names.'}
      <button
        type="button"
        class="button"
        onClick={() => change({ query: '', prefix: '', server: '' }, 'push')}
      >
        Show all
      </button>
    </Empty>
  );
}

function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card empty">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  );
}
