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

const partialMeanings = {
  'at least': 'Some servers are not in it.',
  about: 'The last numbers of some servers are in it.',
};

function When({ atMs }: { atMs: number }) {
  return (
    <span class="quiet past-when" title={`At ${clockTime(atMs)}`}>
      · {ago(now.value - atMs)}
    </span>
  );
}
