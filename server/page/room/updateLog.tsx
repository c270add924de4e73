import { useState } from 'preact/hooks';
import type { LogEntry } from '../../wire/logEntry.js';
import type { RoomStatus } from '../../wire/roomStatus.js';
import { visible } from '../model/roomNames.js';
import { formatNumber } from '../ui/numbers.js';
import { clockTime } from '../ui/time.js';
import { byteWord, countWord } from './words.js';

const firstShown = 25;

/** The latest updates of the room, newest first. A pause freezes the list and loses nothing. */
export function UpdateLog(props: {
  entries: readonly LogEntry[];
  source: RoomStatus['source'] | undefined;
}) {
  const { entries, source } = props;
  const [paused, setPaused] = useState<readonly LogEntry[]>();
  const [isAll, setIsAll] = useState(false);
  const held = paused ?? entries;
  const shown = isAll ? held : held.slice(0, firstShown);
  const missed = paused ? newerThan(entries, paused[0]) : 0;
  return (
    <section class="card flush" aria-labelledby="watched-log">
      <div class="card-head">
        <h2 id="watched-log">Updates</h2>
        <span class="spacer" />
        {missed > 0 && <span class="quiet small">{countWord(missed, 'new update')}</span>}
        <button
          type="button"
          class="button bare small"
          aria-pressed={paused !== undefined}
          onClick={() => setPaused(paused ? undefined : entries)}
        >
          {paused ? 'Resume' : 'Pause'}
        </button>
      </div>
      {shown.length === 0 ? (
        <p class="quiet watched-no-log">
          {source === 'poll'
            ? 'The log needs the updates themselves, from Redis or from the servers. Without them, the service compares whole documents.'
            : 'No updates since the service began to watch this room.'}
        </p>
      ) : (
        <LogTable entries={shown} />
      )}
      {shown.length === held.length && <Older than={held.at(-1)} />}
      {shown.length < held.length && (
        <button type="button" class="button bare watched-all" onClick={() => setIsAll(true)}>
          Show all {formatNumber(held.length)}
        </button>
      )}
    </section>
  );
}

/** The number of updates older than the list. */
function Older({ than }: { than: LogEntry | undefined }) {
  const count = (than?.number ?? 1) - 1;
  if (count === 0) return null;
  return (
    <p class="quiet small watched-no-log">
      {countWord(count, 'older update')} {count === 1 ? 'is' : 'are'} not listed. The latest 500 are
      kept.
    </p>
  );
}

const newerThan = (entries: readonly LogEntry[], newest: LogEntry | undefined) =>
  newest
    ? entries.filter(
        ({ at, number }) => at > newest.at || (at === newest.at && number > newest.number),
      ).length
    : entries.length;

function LogTable({ entries }: { entries: readonly LogEntry[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
    <section class="scroll-x" aria-label="Updates of this room" tabIndex={0}>
      <table class="table watched-log">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">In</th>
            <th scope="col" class="number">
              Elements
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Clients and clocks</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Entry key={`${entry.number} ${entry.at}`} entry={entry} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Entry({ entry }: { entry: LogEntry }) {
  const { at, bytes, inserted, deleted, types } = entry;
  return (
    <tr>
      <td>
        <time dateTime={at} title={at}>
          {clockTime(Date.parse(at))}
        </time>
      </td>
      <td class="watched-types">
        <span class="cut">{types.map(visible).join(', ') || '–'}</span>
      </td>
      <td class="number">
        {inserted > 0 && <span class="watched-plus">+{formatNumber(inserted)}</span>}{' '}
        {deleted > 0 && <span class="watched-minus">−{formatNumber(deleted)}</span>}
        {inserted === 0 && deleted === 0 && '–'}
      </td>
      <td class="number">{byteWord(bytes)}</td>
      <td class="mono">{clientWords(entry)}</td>
    </tr>
  );
}

const maxClients = 3;

function clientWords({ clients, deleted, more, isExamined }: LogEntry): string {
  if (isExamined === false) return 'applied, details unknown';
  const words = clients
    .slice(0, maxClients)
    .map(({ client, from, to }) => `${client}: ${to - from > 1 ? `${from}–${to - 1}` : from}`);
  const left = clients.length - words.length + more;
  if (left > 0) words.push(`… ${left} more`);
  if (words.length === 0) return deleted > 0 ? 'deletes only' : 'formatting only';
  return words.join(', ');
}
