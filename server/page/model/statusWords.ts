import { formatNumber } from '../ui/numbers.js';
import { age, clockTime } from '../ui/time.js';
import type { Doubt, Status } from './whatIsKnown.js';

/** A status in words. */
export interface StatusWords {
  /** A few words: `Live · all 3 servers`. */
  label: string;
  /** Only `good` if all numbers are there and right. */
  tone: 'good' | 'warn' | 'bad' | 'accent' | 'idle';
  /** It will change by itself soon. */
  isBusy?: boolean;
  /** What it means for the numbers; one or two sentences. */
  meaning: string;
}

/** In place of what is asked for only while the numbers of the page are of now. */
export const noNumbersOfNow = 'Not known: the page has no numbers of now.';

/** Says a status in words. `nowMs`: by `steadyNow()`. */
export function statusWords(status: Status, nowMs: number): StatusWords {
  switch (status.is) {
    case 'connecting':
    case 'waiting':
      return busy('Connecting', 'idle', 'Waiting for the first data.');
    case 'signedOut':
      return { label: 'Signed out', tone: 'idle', meaning: 'You are signed out.' };
    case 'stale':
      return {
        label: `No data for ${age(nowMs - status.sinceMs)}`,
        tone: 'warn',
        meaning: 'Nothing arrives from the service. The numbers are from then.',
      };
    case 'reconnecting':
      return busy(
        `Not connected since ${clockTime(status.sinceMs)}`,
        'bad',
        'Lost the connection to the service. The page keeps retrying. The numbers are from then.',
      );
    case 'leaderless':
      return leaderlessWords(status, nowMs);
    case 'starting':
      return busy('Starting', 'accent', 'The service is starting. It has no numbers yet.');
    case 'asking':
      return busy(
        `Asking the servers: ${formatNumber(status.answered)} of ${formatNumber(status.servers)} answered`,
        'accent',
        'The service is asking the servers for their connections.',
      );
    case 'noServers':
      return {
        label: 'No server known',
        tone: 'warn',
        meaning: 'The service knows no pub-sub server, so there is nothing to count.',
      };
    case 'allDown':
      return {
        label: status.servers === 1 ? 'The server does not answer' : 'No server answers',
        tone: 'bad',
        meaning: 'No pub-sub server answers, so nothing is known of their connections.',
      };
    default:
      return countedWords(status);
  }
}

type Counted = Extract<Status, { is: 'incomplete' | 'doubtful' | 'complete' }>;

function countedWords(status: Counted): StatusWords {
  const { servers } = status;
  if (status.is === 'complete')
    return {
      label: servers === 1 ? 'Live · 1 server' : `Live · all ${formatNumber(servers)} servers`,
      tone: 'good',
      meaning: 'The numbers are live and include every known server.',
    };
  if (status.is === 'incomplete')
    return {
      label: `Incomplete: ${ofAll(status.counted, servers)} counted`,
      tone: 'warn',
      meaning: 'The connections of some servers are not in the totals, because they do not answer.',
    };
  return { tone: 'warn', ...doubtWords(status.why, status.count, servers) };
}

function doubtWords(
  why: Doubt,
  count: number,
  servers: number,
): Pick<StatusWords, 'label' | 'meaning'> {
  const some = ofAll(count, servers);
  switch (why) {
    case 'deaf':
      return {
        label: `Out of date: ${some} deaf`,
        meaning: 'Posts of a server do not arrive, so its numbers may be out of date.',
      };
    case 'late':
      return {
        label: `Out of date: ${some} late`,
        meaning: 'A server did not answer the last request. Its last numbers are in the totals.',
      };
    case 'over_limit':
      return {
        label: `Incomplete: ${some} over the limit`,
        meaning: 'A server has more rooms than the service counts for one server.',
      };
    case 'snapshot_due':
      return {
        label: 'Checking a server',
        meaning: 'A server may have restarted. The service is asking it for its connections.',
      };
    case 'source_unanswered':
      return {
        label: 'Incomplete: servers may be missing',
        meaning: 'A source of discovery has not answered yet, so there may be more servers.',
      };
    case 'other':
      return {
        label: 'Incomplete',
        meaning: 'The service says that the numbers are not complete.',
      };
  }
}

function leaderlessWords(
  { sinceMs, hasLeader }: Extract<Status, { is: 'leaderless' }>,
  nowMs: number,
): StatusWords {
  const cause = hasLeader
    ? 'The leading instance is being replaced, or cannot be reached.'
    : 'No instance of the service leads at the moment.';
  const numbers = sinceMs === null ? 'There are no numbers yet.' : 'The numbers are from then.';
  return {
    label: sinceMs === null ? 'No numbers yet' : `No numbers for ${age(nowMs - sinceMs)}`,
    tone: 'warn',
    meaning: `${cause} ${numbers}`,
  };
}

const busy = (label: string, tone: StatusWords['tone'], meaning: string): StatusWords => ({
  label,
  tone,
  isBusy: true,
  meaning,
});

const ofAll = (some: number, all: number) =>
  all === 1 && some === 1 ? '1 server' : `${formatNumber(some)} of ${formatNumber(all)} servers`;
