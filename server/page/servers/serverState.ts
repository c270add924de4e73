import type { ServerRow } from '../model/serverList.js';

/** How the page shows a state of a pub-sub server (docs/protocol.md, "States of a server"). */
export interface StateWords {
  label: string;
  /** Class of the badge. */
  tone: string;
  meaning: string;
}

const words: Record<string, StateWords> = {
  live: { label: 'Live', tone: 'good', meaning: 'It answered the last request.' },
  activating: {
    label: 'Activating',
    tone: 'accent busy',
    meaning: 'The service told it to post its changes. It has not answered yet.',
  },
  deaf: {
    label: 'Deaf',
    tone: 'bad',
    meaning:
      'It answers, but its posts do not reach the service. Its counts are from its last answer.',
  },
  stale: {
    label: 'Late',
    tone: 'warn',
    meaning: 'It did not answer the last request. The totals include its last known counts.',
  },
  unreachable: {
    label: 'Unreachable',
    tone: 'bad',
    meaning: 'It has not answered for a while. Its connections are not in the totals.',
  },
  gone: {
    label: 'Gone',
    tone: '',
    meaning: 'Removed: discovery no longer lists it, and it does not answer.',
  },
  silent: { label: 'Silent', tone: '', meaning: 'It posts nothing, as the service told it.' },
  silencing: {
    label: 'Silencing',
    tone: 'busy',
    meaning: 'The service is telling it to stop posting.',
  },
  unknown: { label: 'Unknown', tone: '', meaning: 'It has not answered yet.' },
};

const tooMany: StateWords = {
  label: 'Over limit',
  tone: 'warn',
  meaning: 'It has more rooms than the service counts per server, so its numbers are incomplete.',
};

/** Whether its problem is that it has too many rooms. Other problems come first. */
export const isOnlyOverLimit = ({ state, overLimit }: Pick<ServerRow, 'state' | 'overLimit'>) =>
  overLimit && state === 'live';

/** The words for a server's state. An unknown state is shown as it is. */
export const stateWords = (row: ServerRow): StateWords =>
  isOnlyOverLimit(row)
    ? tooMany
    : (words[row.state] ?? { label: row.state, tone: '', meaning: '' });

/** States, the most urgent first. */
const urgency = [
  'unreachable',
  'deaf',
  'stale',
  'overLimit',
  'activating',
  'unknown',
  'silencing',
  'silent',
  'live',
  'gone',
];

/** For sorting by state. */
export const urgencyOf = (row: ServerRow): number =>
  urgency.indexOf(isOnlyOverLimit(row) ? 'overLimit' : row.state);
