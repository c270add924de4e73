import { now } from '../model/polling.js';
import type { Known } from '../model/whatIsKnown.js';
import { Count, Unknown } from './count.js';
import { formatNumber } from './numbers.js';
import { ago, clockTime } from './time.js';

/** A number with what is known of it: `7`, `at least 7`, `7 · 12 s ago`, or a dash with what it was. */
export function KnownNumber({ number }: { number: Known }) {
  switch (number.is) {
    case 'known':
      return <Count value={number.value} />;
    case 'partial':
      return (
        <span title={partialMeanings[number.bound]}>
          <span class="quiet">{number.bound}</span> <Count value={number.value} />
        </span>
      );
    case 'past':
      return (
        <span class="past">
          {formatNumber(number.value)} <When atMs={number.atMs} />
        </span>
      );
    case 'unknown':
      return (
        <>
          <Unknown />
          {number.last && (
            <span class="quiet past">
              {' '}
              was {formatNumber(number.last.value)} <When atMs={number.last.atMs} />
            </span>
          )}
        </>
      );
  }
}

/** The same where space is short: what is said of the number is in its tooltip. `isCalm`: changes are not highlighted. */
export function BriefNumber({ number, isCalm = false }: { number: Known; isCalm?: boolean }) {
  if (number.is === 'unknown') return <Unknown reason={unknownWords(number)} />;
  const { value } = number;
  const text = isCalm ? <span>{formatNumber(value)}</span> : <Count value={value} />;
  if (number.is === 'known') return text;
  const isPast = number.is === 'past';
  return (
    <span
      class={isPast ? 'past' : ''}
      title={isPast ? `At ${clockTime(number.atMs)}` : partialMeanings[number.bound]}
    >
      {text}
      {isPast && <span class="visually-hidden"> at {clockTime(number.atMs)}</span>}
    </span>
  );
}

function unknownWords({ last }: Extract<Known, { is: 'unknown' }>): string {
  return last ? `Unknown. At ${clockTime(last.atMs)}: ${formatNumber(last.value)}` : 'Unknown';
}

const partialMeanings = {
  'at least': 'Some servers are not in it.',
  about: 'The last numbers of some servers are in it.',
};

/** Of when something is, if it is not of now. */
export function When({ atMs }: { atMs: number }) {
  return (
    <span class="quiet past-when" title={`At ${clockTime(atMs)}`}>
      · {ago(now.value - atMs)}
    </span>
  );
}
