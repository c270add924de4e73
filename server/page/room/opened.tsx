import { useState } from 'preact/hooks';
import { ApiFailure, clockSkewMs, getJson } from '../api.js';
import { encodedName, visible } from '../model/roomNames.js';
import { steadyNow } from '../steadyNow.js';
import { countWord, formatNumber } from '../ui/numbers.js';
import { dayTime, hourMs } from '../ui/time.js';
import { type Opened, type OpenedHour, openedByHour } from './openedByHour.js';

/** A day at least, so that an hour has the same width for every room. */
const leastMs = 24 * hourMs;

interface Answer {
  hours: readonly OpenedHour[];
  count: number;
  isObserved: boolean;
}

/**
 * The connections that were opened since yesterday, by hour. Only on request: the service reads the connections of
 * all rooms for it.
 */
export function OpenedConnections({ name }: { name: string }) {
  const [answer, setAnswer] = useState<Answer | ApiFailure | 'asking'>();
  const ask = async () => {
    setAnswer('asking');
    setAnswer(await askOpened(name));
  };
  if (answer === undefined || answer === 'asking' || answer instanceof ApiFailure)
    return (
      <>
        <button
          type="button"
          class="button bare small"
          disabled={answer === 'asking'}
          onClick={() => void ask()}
        >
          {answer === 'asking' ? 'Reading …' : 'Show connections since yesterday'}
        </button>
        {answer instanceof ApiFailure && (
          <p class="small tone-bad watched-failure">
            They could not be read: {visible(answer.message)}
          </p>
        )}
      </>
    );
  return <Hours {...answer} />;
}

async function askOpened(name: string): Promise<Answer | ApiFailure> {
  try {
    const path = `api/connections/since_yesterday/0?room=${encodedName(name)}`;
    const opened = await getJson<Opened[]>(path);
    const nowMs = steadyNow() + clockSkewMs.peek();
    const oldestMs = opened[0] ? Date.parse(opened[0].timestamp) : nowMs;
    const firstMs = Math.min(oldestMs, nowMs - leastMs);
    return {
      hours: openedByHour(opened, firstMs, nowMs),
      count: opened.length,
      isObserved: opened.some(({ observed }) => observed),
    };
  } catch (error) {
    if (error instanceof ApiFailure) return error;
    throw error;
  }
}

function Hours({ hours, count, isObserved }: Answer) {
  const highest = Math.max(1, ...hours.map((hour) => hour.count));
  const busiest = hours.find((hour) => hour.count === highest);
  const words = [
    count === 0
      ? 'No connection was opened since yesterday.'
      : `${countWord(count, 'connection')} opened since yesterday.`,
    busiest && `Most between ${hourWords(busiest)}: ${formatNumber(highest)}.`,
  ];
  return (
    <div class="opened">
      <p class="small">{words.filter(Boolean).join(' ')}</p>
      {count > 0 && (
        <ol class="opened-hours" aria-label="Connections opened, by hour">
          {hours.map((hour) => (
            <li key={hour.fromMs} title={`${hourWords(hour)}: ${formatNumber(hour.count)}`}>
              <span style={{ height: `${(hour.count / highest) * 100}%` }} />
              <span class="visually-hidden">
                {hourWords(hour)}: {formatNumber(hour.count)}
              </span>
            </li>
          ))}
        </ol>
      )}
      {isObserved && (
        <p class="quiet small">
          As this service saw them. It sees connections only while it has viewers.
        </p>
      )}
    </div>
  );
}

const hourWords = ({ fromMs }: OpenedHour): string => {
  const [from, to] = [fromMs, fromMs + hourMs].map((ms) => dayTime(ms).replace(/:\d\d$/, ''));
  return `${from} and ${to}`;
};
