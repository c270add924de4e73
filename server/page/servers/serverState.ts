import type { ServerRow } from '../model/serverBook.js';

/** How a state of a pub-sub server is shown (docs/protocol.md, "States of a server"). */
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
    meaning: 'It was told to post its connections, and has not answered yet.',
  },
  deaf: {
    label: 'Deaf',
    tone: 'bad',
    meaning:
      'It answers, but its posts do not reach the service. Its connections are those of its last answer.',
  },
  stale: {
    label: 'Late',
    tone: 'warn',
    meaning: 'It missed an answer. Its connections count as they last were.',
  },
  unreachable: {
    label: 'Unreachable',
    tone: 'bad',
    meaning: 'It has not answered for a while. Its connections are not in the totals.',
  },
  gone: {
    label: 'Gone',
    tone: '',
    meaning: 'It was let go: nobody names it any longer, and it does not answer.',
  },
  silent: { label: 'Silent', tone: '', meaning: 'It posts nothing, as it was told.' },
  silencing: { label: 'Silencing', tone: 'busy', meaning: 'It is being told to post nothing.' },
  unknown: { label: 'Unknown', tone: '', meaning: 'It has not answered anything yet.' },
};

const tooMany: StateWords = {
  label: 'Over limit',
  tone: 'warn',
  meaning: 'It reported more rooms than are counted of one server: its numbers are a part.',
};

/** The words for a server's state; one that this page does not know is shown as it is. */
export const stateWords = ({ state, overLimit }: ServerRow): StateWords =>
  overLimit && state === 'live'
    ? tooMany
    : (words[state] ?? { label: state, tone: '', meaning: '' });

/** States in the order of what needs looking at first. */
const urgency = [
  'unreachable',
  'deaf',
  'stale',
  'activating',
  'unknown',
  'silencing',
  'silent',
  'live',
  'gone',
];

/** For sorting by state. */
export const urgencyOf = ({ state }: ServerRow): number => urgency.indexOf(state);
