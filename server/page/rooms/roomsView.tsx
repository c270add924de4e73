import './rooms.css';
import { signal, useSignalEffect } from '@preact/signals';
import { useState } from 'preact/hooks';
import { roomCount, roomIndex, roomsVersion } from '../model/fleet.js';
import { RoomsUnknown } from '../overview/emptyStates.js';
import { formatNumber } from '../ui/numbers.js';
import { RoomTable } from './roomTable.js';

/** Module state, so that the search survives a visit to a room. */
const query = signal('');
const top = signal(Number.POSITIVE_INFINITY);

const tops = [10, 50, 100, 1000];
/** Browsers limit the height of scrolled content. */
const maxRows = 400_000;

/** All rooms, the busiest first. */
export function RoomsView() {
  roomsVersion.value;
  const { shown } = roomIndex;
  const rows =
    shown.length > Math.min(top.value, maxRows)
      ? shown.slice(0, Math.min(top.value, maxRows))
      : shown;
  return (
    <section class="rooms-view" aria-labelledby="rooms-title">
      <div class="row rooms-head">
        <h1 id="rooms-title">Rooms</h1>
        <span class="quiet">{summary(rows.length, shown.length)}</span>
        <span class="spacer" />
        <TopSelect />
        <SearchField />
      </div>
      {rows.length > 0 ? <RoomTable rooms={rows} /> : <Nothing />}
    </section>
  );
}

function summary(rows: number, matches: number): string {
  if (roomCount.value === null) return '';
  const all = formatNumber(roomCount.value);
  const found = query.value === '' ? all : `${formatNumber(matches)} of ${all}`;
  const text = rows < matches ? `${formatNumber(rows)} of ${found}` : found;
  return roomIndex.isSearching ? `${text}, searching …` : text;
}

function SearchField() {
  return (
    <div class="search">
      <label class="visually-hidden" for="room-search">
        Search rooms by name
      </label>
      <input
        id="room-search"
        type="search"
        class="input"
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={({ currentTarget }) => {
          query.value = currentTarget.value;
          roomIndex.search(query.value.trim());
        }}
      />
      <SearchResult />
    </div>
  );
}

/** Announces the number of matches to screen readers. */
function SearchResult() {
  const [text, setText] = useState('');
  useSignalEffect(() => {
    const wanted = query.value;
    if (wanted === '') return setText('');
    const timer = setTimeout(() => setText(foundWords(roomIndex.shown.length)), announceMs);
    return () => clearTimeout(timer);
  });
  return (
    <span class="visually-hidden" role="status">
      {text}
    </span>
  );
}

const announceMs = 700;

const foundWords = (count: number) =>
  `${formatNumber(count)} ${count === 1 ? 'room' : 'rooms'} found`;

function TopSelect() {
  return (
    <>
      <label class="visually-hidden" for="room-top">
        How many rooms
      </label>
      <select
        id="room-top"
        class="select"
        value={String(top.value)}
        onChange={({ currentTarget }) => {
          top.value = Number(currentTarget.value);
        }}
      >
        <option value="Infinity">All rooms</option>
        {tops.map((count) => (
          <option key={count} value={String(count)}>
            Top {formatNumber(count)}
          </option>
        ))}
      </select>
    </>
  );
}

function Nothing() {
  const isSearch = query.value !== '';
  if (roomCount.value === null)
    return (
      <div class="card">
        <RoomsUnknown />
      </div>
    );
  return (
    <div class="card empty">
      <h2>{isSearch ? 'No matching rooms' : 'Nobody is connected'}</h2>
      <p>
        {isSearch
          ? 'Only rooms with connections are listed. The search covers both displayed and raw names.'
          : 'A room appears here as soon as someone opens its document.'}
      </p>
    </div>
  );
}
