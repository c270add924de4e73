const words: Readonly<Record<string, { label: string; meaning: string }>> = {
  activate: { label: 'Counts', meaning: 'Post your changes, and tell all connections' },
  silence: { label: 'Silence', meaning: 'Stop posting' },
  probe: { label: 'Probe', meaning: 'Are you there?' },
  rooms: { label: 'Watched rooms', meaning: 'Post the updates of these rooms' },
  state: { label: 'Document', meaning: 'The document of a room' },
};

/** How the page calls a kind of request. A newer service may have others. */
export const requestWords = (request: string): { label: string; meaning: string } =>
  (Object.hasOwn(words, request) ? words[request] : undefined) ?? { label: request, meaning: '' };

/** The kinds in the order of the table. Those that are not known come last. */
export function compareRequests(a: string, b: string): number {
  const order = Object.keys(words);
  const rank = (request: string) =>
    order.includes(request) ? order.indexOf(request) : order.length;
  return rank(a) - rank(b);
}

const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `0.4 ms`, `12 ms`, `1.5 s`. */
export function durationWords(ms: number): string {
  if (ms >= 1000) return `${tenths.format(ms / 1000)} s`;
  return `${(ms < 10 ? tenths : whole).format(ms)} ms`;
}
