/** How the page calls a kind of event. */
export interface KindWords {
  label: string;
  /** Class of the badge. */
  tone: string;
}

const words: Readonly<Record<string, KindWords>> = {
  'server.found': { label: 'Found', tone: 'accent' },
  'server.live': { label: 'Live again', tone: 'good' },
  'server.stale': { label: 'Late', tone: 'warn' },
  'server.unreachable': { label: 'Unreachable', tone: 'bad' },
  'server.deaf': { label: 'Deaf', tone: 'bad' },
  'server.over_limit': { label: 'Over limit', tone: 'warn' },
  'server.restarted': { label: 'Restarted', tone: 'accent' },
  'server.gone': { label: 'Gone', tone: '' },
  'room.diverged': { label: 'Differs', tone: 'warn' },
  'room.agreed': { label: 'Same again', tone: 'good' },
  'instance.alone': { label: 'Started', tone: '' },
  'instance.leading': { label: 'Leads', tone: 'accent' },
  'instance.following': { label: 'Follows', tone: '' },
  'instance.paused': { label: 'Paused', tone: 'warn' },
  'instance.isolated': { label: 'Isolated', tone: 'bad' },
  'dependency.failed': { label: 'Fails', tone: 'bad' },
  'dependency.recovered': { label: 'Answers again', tone: 'good' },
};

/** The words for a kind. A newer service may have others: they are shown as they are. */
export const kindWords = (kind: string): KindWords =>
  (Object.hasOwn(words, kind) ? words[kind] : undefined) ?? { label: kind, tone: '' };

const groupTitles: Readonly<Record<string, string>> = {
  server: 'Servers',
  room: 'Rooms',
  instance: 'Instances',
  dependency: 'Dependencies',
};

/** The known kinds by what they are about. */
export const kindGroups = Object.entries(groupTitles).map(([subject, title]) => ({
  subject,
  title,
  kinds: Object.keys(words).filter((kind) => kind.startsWith(`${subject}.`)),
}));
