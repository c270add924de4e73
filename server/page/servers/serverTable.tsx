import { visible } from '../model/roomNames.js';
import { SortHead } from '../ui/sortHead.js';
import './servers.css';
import type { ComponentChildren, ComponentType } from 'preact';
import { useMemo } from 'preact/hooks';
import { clockSkewMs } from '../api.js';
import { numbersOf } from '../model/fleet.js';
import { now } from '../model/polling.js';
import type { ServerRow } from '../model/serverList.js';
import type { ServerNumbers } from '../model/serverNumbers.js';
import { Unknown } from '../ui/count.js';
import { BriefNumber } from '../ui/knownNumber.js';
import { age, ago, clockTime } from '../ui/time.js';
import type { RowPlace } from '../ui/virtualBody.js';
import { lookOf } from './serverLook.js';
import { ServerName } from './serverName.js';
import { type ServerColumn, type ServerOrder, sortedServers } from './serverOrder.js';
import { stateWords } from './serverState.js';

/** The columns that can be sorted. */
const columns: Record<ServerColumn, { title: string; isNumber?: boolean }> = {
  id: { title: 'Server' },
  state: { title: 'State' },
  heard: { title: 'Last heard' },
  rooms: { title: 'Rooms', isNumber: true },
  connections: { title: 'Connections', isNumber: true },
};

/** Above this many rows, changed counts are not highlighted: it would flicker and be slow. */
const maxLively = 100;

/** How long a reconnected server is marked. */
const returnedShownMs = 60_000;

/** The properties of `ServerTable`. */
export interface ServerTableProps {
  rows: readonly ServerRow[];
  order: ServerOrder;
  onOrder: (order: ServerOrder) => void;
  /** Draws the rows of a long table. Default: all of them are drawn. */
  body?: ComponentType<ServerRowsProps>;
}

/** The sorted rows of a table, and how to draw one. */
export interface ServerRowsProps {
  rows: readonly ServerRow[];
  rowOf: (row: ServerRow, place?: RowPlace) => ComponentChildren;
}

/** The pub-sub servers, one row each. */
export function ServerTable({ rows, order, onOrder, body: Body = AllRows }: ServerTableProps) {
  const { column, isReversed } = order;
  const sortBy = (clicked: ServerColumn) =>
    onOrder({ column: clicked, isReversed: clicked === column && !isReversed });
  const all = rows.reduce((sum, row) => sum + (row.connections ?? 0), 0);
  const sorted = useMemo(() => sortedServers(rows, order), [rows, column, isReversed]);
  const rowOf = (row: ServerRow, place?: RowPlace) => (
    <Row key={row.id} row={row} all={all} isCalm={rows.length > maxLively} place={place} />
  );
  return (
    <table class="table server-table" aria-rowcount={rows.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          {(Object.keys(columns) as ServerColumn[]).map((name) => (
            <SortHeader
              key={name}
              name={name}
              direction={name === column ? (isReversed ? 'descending' : 'ascending') : undefined}
              onSort={sortBy}
            />
          ))}
          <th scope="col" class="server-share">
            Share
          </th>
        </tr>
      </thead>
      <Body rows={sorted} rowOf={rowOf} />
    </table>
  );
}

function AllRows({ rows, rowOf }: ServerRowsProps) {
  return (
    <tbody>{rows.map((row, index) => rowOf(row, { row: { 'aria-rowindex': index + 2 } }))}</tbody>
  );
}

function SortHeader({
  name,
  direction,
  onSort,
}: {
  name: ServerColumn;
  direction: 'ascending' | 'descending' | undefined;
  onSort: (column: ServerColumn) => void;
}) {
  const { title, isNumber } = columns[name];
  // The largest number comes first: that is descending to the reader.
  const isFlipped = isNumber ?? false;
  const shown = direction && isFlipped ? flipped[direction] : direction;
  return (
    <SortHead
      class={`server-${name} ${isNumber ? 'number' : ''}`}
      sorted={shown}
      onSort={() => onSort(name)}
    >
      {title}
    </SortHead>
  );
}

const flipped = { ascending: 'descending', descending: 'ascending' } as const;

interface RowProps {
  row: ServerRow;
  /** All connections. */
  all: number;
  isCalm: boolean;
  place: RowPlace | undefined;
}

/** One server. Memoized, because the table is drawn again while it scrolls. */
function Row({ row, all, isCalm, place }: RowProps) {
  const heard = heardText(row, now.value);
  const note = noteOf(row, now.value);
  const percent = percentOf(row, all);
  const { color } = lookOf(row.id);
  const numbers = numbersOf(row);
  return useMemo(
    () => (
      <tr
        class={row.state === 'gone' ? 'gone' : ''}
        data-server={row.id}
        data-state={row.state}
        {...place?.row}
      >
        <th scope="row" class="server-id">
          <span class="row">
            <span class="swatch" style={{ background: color }} />
            <ServerName id={row.id} name={row.name} tabIndex={place?.tabIndex} />
          </span>
          <span class="server-brief">
            <StateBadge row={row} />
            <span class="quiet small">{heard}</span>
          </span>
          {note && <span class={`server-note ${note.tone}`}>{note.text}</span>}
        </th>
        <td class="server-state">
          <StateBadge row={row} />
        </td>
        <td class="server-heard quiet">{heard}</td>
        <td class="server-rooms number">
          <BriefNumber number={numbers.rooms} isCalm={isCalm} />
        </td>
        <td class="server-connections number">
          <BriefNumber number={numbers.connections} isCalm={isCalm} />
        </td>
        <td class="server-share">
          <Share percent={percent} color={color} />
        </td>
      </tr>
    ),
    [
      row,
      heard,
      note?.text,
      percent,
      color,
      isCalm,
      wordsOf(numbers),
      place?.row['aria-rowindex'],
      place?.tabIndex,
    ],
  );
}

/** Percent of all connections, to a tenth; null: unknown. */
function percentOf({ connections }: ServerRow, all: number): number | null {
  if (connections === null) return null;
  return all > 0 ? Math.round((connections / all) * 1000) / 10 : 0;
}

/** Changes with what is said of the numbers. */
const wordsOf = ({ rooms, connections }: ServerNumbers) => JSON.stringify([rooms, connections]);

/** The state of a server as a colored badge. */
export function StateBadge({ row }: { row: ServerRow }) {
  const { label, tone, meaning } = stateWords(row);
  return (
    <span class={`badge ${tone}`} title={meaning}>
      {label}
    </span>
  );
}

function Share({ percent, color }: { percent: number | null; color: string }) {
  if (percent === null) return <Unknown />;
  return (
    <span class="share">
      <span class="share-bar" aria-hidden="true">
        {percent > 0 && <span style={{ width: `${percent}%`, background: color }} />}
      </span>
      <span class="share-text">{percent.toFixed(percent < 10 ? 1 : 0)} %</span>
    </span>
  );
}

function heardText({ lastHeardAt }: ServerRow, nowMs: number): string {
  if (lastHeardAt === null) return 'never';
  return ago(nowMs + clockSkewMs.value - Date.parse(lastHeardAt));
}

/** A note on a server beside its state: since when, and why. */
function noteOf(row: ServerRow, nowMs: number): { text: string; tone: string } | undefined {
  const { state, overLimit, lastFailure, callback, awaySinceMs, goneAtMs, returnedAtMs } = row;
  if (goneAtMs !== undefined) return { text: `Removed at ${clockTime(goneAtMs)}`, tone: '' };
  const since = awaySinceMs === undefined ? null : `Since ${clockTime(awaySinceMs)}`;
  if (state === 'unreachable')
    return { text: joined(since, lastFailure && visible(lastFailure)), tone: 'tone-bad' };
  if (state === 'deaf')
    return {
      text: `Answers, but its posts do not reach this service at ${callback}. Set PUBLIC_URL.`,
      tone: 'tone-bad',
    };
  if (lastFailure !== null) return { text: visible(lastFailure), tone: 'tone-warn' };
  if (overLimit)
    return {
      text: 'More rooms than MAX_ROOMS_PER_SERVER. The counts are incomplete.',
      tone: 'tone-warn',
    };
  if (returnedAtMs !== undefined && nowMs - returnedAtMs < returnedShownMs) {
    const awayMs = awaySinceMs === undefined ? 0 : returnedAtMs - awaySinceMs;
    const after = awayMs < 1000 ? '' : ` after ${age(awayMs)}`;
    return {
      text: `Reconnected at ${clockTime(returnedAtMs)}${after} (restart or network loss)`,
      tone: 'tone-accent',
    };
  }
  return undefined;
}

const joined = (...parts: (string | null)[]) => parts.filter((part) => part !== null).join(': ');
