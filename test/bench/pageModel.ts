/** How long the page works on many rooms and servers: `tsx test/bench/pageModel.ts`. */
import { csvParts, frozen } from '../../server/page/model/roomExport.js';
import { RoomIndex } from '../../server/page/model/roomIndex.js';
import { ServerList } from '../../server/page/model/serverList.js';
import type { ServerView } from '../../server/wire/serverView.js';

const report = (what: string, ms: number) =>
  process.stdout.write(`${what.padEnd(64)} ${ms.toFixed(1).padStart(8)} ms\n`);

function timed<T>(what: string, work: () => T): T {
  const from = performance.now();
  const value = work();
  report(what, performance.now() - from);
  return value;
}

/** The time until a search or a sort is done, and the longest that it blocked. */
async function sliced(what: string, index: RoomIndex, work: () => void): Promise<void> {
  const from = performance.now();
  let longestMs = 0;
  let turnAt = from;
  work();
  while (index.isSearching) {
    longestMs = Math.max(longestMs, performance.now() - turnAt);
    await new Promise((resolve) => setTimeout(resolve));
    turnAt = performance.now();
  }
  report(`${what}, done`, performance.now() - from);
  report(`${what}, longest block`, Math.max(longestMs, 0));
}

/** The mean of many. */
function mean(what: string, times: number, work: (i: number) => void): void {
  const from = performance.now();
  for (let i = 0; i < times; i += 1) work(i);
  report(what, (performance.now() - from) / times);
}

async function measure(count: number): Promise<void> {
  process.stdout.write(`\n${count.toLocaleString('en')} rooms\n`);
  const names = Array.from({ length: count }, (_, i) => `workspace-${i % 97}%2Fdoc:${i}`);
  const counts = names.map((_, i) => count - i);
  const index = new RoomIndex(() => undefined);
  timed('snapshot', () => index.replace({ names, counts }));
  let seed = 1;
  const burst = (rooms: number) => {
    const changed = Array.from({ length: rooms }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return names[seed % count] ?? '';
    });
    index.change({ names: changed, counts: changed.map((_, i) => 1 + (i % 9)) });
    index.settle();
  };
  mean('50 changed rooms (200 deltas a second), by connections', 50, () => burst(50));
  await sliced('sort by name', index, () => index.sort('name'));
  mean('50 changed rooms, by name', 50, () => burst(50));
  await sliced('search', index, () => index.search('workspace-8'));
  mean('50 changed rooms, by name and with a search', 50, () => burst(50));
  await sliced('prefix', index, () => index.filter({ query: '', prefix: 'workspace-8/' }));
  await sliced('counts by prefix', index, () => {
    index.filter({ prefix: '' });
    index.countPrefixes(true);
  });
  mean('50 changed rooms, with counts by prefix', 50, () => burst(50));
  mean('the largest prefixes', 50, () => index.prefixes?.top(24));
  const copy = timed('export: copy of the counts', () => frozen(index.shown));
  let [longestMs, all] = [0, 0];
  const parts = csvParts(copy);
  for (let more = true; more; ) {
    const from = performance.now();
    more = !parts.next().done;
    longestMs = Math.max(longestMs, performance.now() - from);
    all += performance.now() - from;
  }
  report('export: CSV in all', all);
  report('export: CSV, longest part', longestMs);
}

await measure(100_000);
await measure(1_000_000);

process.stdout.write('\n1,000 servers\n');
const list = new ServerList();
const view = (i: number, connections: number): ServerView => ({
  id: `10.0.${i >> 8}.${i & 255}:8080`,
  state: 'live',
  lastHeardAt: '2026-01-01T00:00:00.000Z',
  epoch: 1,
  rooms: 100,
  connections,
  overLimit: false,
  lastFailure: null,
  callback: null,
});
mean('a poll of all servers', 20, (n) =>
  list.replace(
    Array.from({ length: 1000 }, (_, i) => view(i, i + n)),
    n,
  ),
);
