import { useState } from 'preact/hooks';
import type { LogEntry } from '../../wire/logEntry.js';
import type { RoomStatus } from '../../wire/roomStatus.js';
import { visible } from '../model/roomNames.js';
import { lookOf } from '../servers/serverLook.js';
import { countWord, formatNumber } from '../ui/numbers.js';
import { clockTime } from '../ui/time.js';
import { authorlessWords, authorsOf, formatWords } from './entryWords.js';
import { logFindings } from './logFindings.js';
import { byteWord, notTold } from './words.js';

const firstShown = 25;

/** The latest updates of the room, newest first. A pause freezes the list and loses nothing. */
export function UpdateLog(props: {
  entries: readonly LogEntry[];
  status: RoomStatus | undefined;
  /** Undefined: it has not announced a name. */
  nameOf: (client: number) => string | undefined;
}) {
  const { entries, status, nameOf } = props;
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
        <p class="quiet watched-no-log">{noUpdatesWords(status)}</p>
      ) : (
        <LogTable entries={shown} nameOf={nameOf} />
      )}
      <Findings status={status} />
      {shown.length === held.length && <Older than={held.at(-1)} />}
      {shown.length < held.length && (
        <button type="button" class="button bare watched-all" onClick={() => setIsAll(true)}>
          Show all {formatNumber(held.length)}
        </button>
      )}
    </section>
  );
}

function noUpdatesWords(status: RoomStatus | undefined): string {
  if (!status) return notTold;
  return status.source === 'poll'
    ? 'The log needs the updates themselves, from Redis or from the servers. Without them, the service compares whole documents.'
    : 'No updates since the service began to watch this room.';
}

/** What the log lacks, and why. */
function Findings({ status }: { status: RoomStatus | undefined }) {
  const findings = logFindings(status, (server) => lookOf(server).fullName);
  if (findings.length === 0) return null;
  return (
    <ul class="quiet small watched-no-log" data-findings={findings.length}>
      {findings.map((finding) => (
        <li key={finding}>{finding}</li>
      ))}
    </ul>
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

type NameOf = (client: number) => string | undefined;

function LogTable({ entries, nameOf }: { entries: readonly LogEntry[]; nameOf: NameOf }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
    <section class="scroll-x" aria-label="Updates of this room" tabIndex={0}>
      <table class="table watched-log">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">In</th>
            <th scope="col" class="number">
              Change
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">By, and clocks</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Entry key={`${entry.number} ${entry.at}`} entry={entry} nameOf={nameOf} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Entry({ entry, nameOf }: { entry: LogEntry; nameOf: NameOf }) {
  const { at, bytes, inserted, deleted, types } = entry;
  const formats = formatWords(entry);
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
        {formats && <span>{formats}</span>}
        {inserted === 0 && deleted === 0 && !formats && '–'}
      </td>
      <td class="number">{byteWord(bytes)}</td>
      <td>
        <Authors entry={entry} nameOf={nameOf} />
      </td>
    </tr>
  );
}

/** Who made the update: the name where it is known, else the number of the client. */
function Authors({ entry, nameOf }: { entry: LogEntry; nameOf: NameOf }) {
  const words = authorlessWords(entry);
  if (words) return <span class="quiet">{words}</span>;
  const { authors, more } = authorsOf(entry, nameOf);
  return (
    <>
      {authors.map(({ client, name, clocks }, i) => (
        <span key={client} title={`Client ${client}`}>
          {i > 0 && ', '}
          {name === undefined ? <span class="mono">{client}</span> : <bdi>{name}</bdi>}
          <span class="mono">: {clocks}</span>
        </span>
      ))}
      {more > 0 && `, … ${more} more`}
    </>
  );
}
