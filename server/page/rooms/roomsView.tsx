import './rooms.css';
import { known, roomCount, roomIndex } from '../model/fleet.js';
import { When } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';
import { emptyRooms, readMore } from './emptyRooms.js';
import { ExportButtons } from './exportButtons.js';
import { FilterBar } from './filterBar.js';
import { isByPrefix, listSettings } from './listedRooms.js';
import { isNarrowed, type ListSettings } from './listSettings.js';
import { NothingListed } from './nothingListed.js';
import { PrefixBar } from './prefixBar.js';
import { RoomTable } from './roomTable.js';
import { SearchField } from './searchField.js';
import { type ListedRooms, useListedRooms } from './useListedRooms.js';
import { useServerFilter } from './useServerFilter.js';

/** The rooms: those with connections, busiest first, unless the address says otherwise. */
export function RoomsView() {
  const settings = listSettings.value;
  const { filter, here } = useServerFilter(settings.server);
  const list = useListedRooms(settings, here);
  const { show, prefix } = settings;
  const { connections } = known.value;
  const isKnown = filter === 'none' || filter === 'known';
  const isBusy = isListGrowing(settings, list);
  const isPrefixShown = prefix !== '' || (show === 'connected' && isByPrefix.value);
  return (
    <section class="rooms-view" aria-labelledby="rooms-title">
      <div class="row rooms-head">
        <h1 id="rooms-title">Rooms</h1>
        <span class="quiet">
          {isKnown && summary(list, settings, isBusy)}{' '}
          {isKnown && connections.is === 'past' && <When atMs={connections.atMs} />}
        </span>
        <span class="spacer" />
        <ExportButtons rows={list.rows} />
        <SearchField value={settings.query} matches={list.matches} />
      </div>
      <FilterBar settings={settings} />
      {isPrefixShown && <PrefixBar prefix={prefix} />}
      <Extent settings={settings} list={list} />
      {list.rows.length > 0 ? (
        <RoomTable list={list} settings={settings} here={here} />
      ) : (
        <NothingListed settings={settings} serverFilter={filter} isBusy={isBusy} />
      )}
    </section>
  );
}

function isListGrowing({ show }: ListSettings, { watched }: ListedRooms): boolean {
  if (show === 'connected') return roomIndex.isSearching;
  return show === 'empty' ? emptyRooms.value.isReading : watched === undefined;
}

function summary(list: ListedRooms, settings: ListSettings, isBusy: boolean): string {
  const { rows, matches, connections } = list;
  const isLive = settings.show === 'connected';
  if (isLive ? roomCount.value === null : matches === 0) return '';
  const isPart = isLive && isNarrowed(settings);
  const all = isPart ? [formatNumber(roomCount.value ?? 0)] : [];
  const counts = [...new Set([rows.length, matches].map(formatNumber)), ...all];
  const number = known.value.connections;
  const bound = isLive && number.is === 'partial' ? `${number.bound} ` : '';
  const sum =
    settings.show === 'empty' ? '' : ` · ${bound}${formatNumber(connections)} connections`;
  return `${counts.join(' of ')}${sum}${isBusy ? ', looking …' : ''}`;
}

/** How far the list reaches, where that is not all rooms. */
function Extent({ settings, list }: { settings: ListSettings; list: ListedRooms }) {
  const { show } = settings;
  if (show === 'connected') return null;
  if (show === 'empty') return <EmptyExtent />;
  const { watched } = list;
  return (
    <p class="quiet small" data-extent="watched">
      The service knows this only of rooms that somebody is looking at.{' '}
      {watched !== undefined && watchedWords(watched)} Open a room to have it checked.
    </p>
  );
}

function watchedWords(watched: number): string {
  if (watched === 0) return 'Nobody is looking at one now.';
  return `Now that is ${watched === 1 ? 'one room' : `${formatNumber(watched)} rooms`}.`;
}

function EmptyExtent() {
  const { read, unknown, next, isReading, failure } = emptyRooms.value;
  return (
    <p class="row quiet small" data-extent="empty">
      <span>
        {failure
          ? `The metadata store could not be read: ${failure.message}.`
          : `Among ${formatNumber(read)} rooms that were read from the service${next === undefined ? '' : ' so far'}, and those that became empty since this page was opened.`}
        {unknown > 0 &&
          ` Of ${formatNumber(unknown)} it is not known whether somebody is connected.`}
      </span>
      {next !== undefined && !isReading && (
        <button type="button" class="button" onClick={() => void readMore()}>
          {failure ? 'Try again' : 'Read more'}
        </button>
      )}
    </p>
  );
}
