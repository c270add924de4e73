import { afterEach, expect, test } from '@jest/globals';
import { Turns } from '../../../server/timing/turns.js';

const all: Turns[] = [];
afterEach(() => {
  for (const turns of all.splice(0)) turns.close();
});

function start(): Turns {
  const turns = new Turns();
  all.push(turns);
  return turns;
}

const { signal } = new AbortController();
const proven = (host: string) => ({ host, isProven: true, signal });
const unproven = (host: string) => ({ host, isProven: false, signal });

/** Work of so many pieces, each of which is noted by the name of the work. */
function work(name: string, pieces: number, noted: string[]) {
  let done = 0;
  return () => {
    noted.push(name);
    done += 1;
    return done === pieces ? name : undefined;
  };
}

test('each slice runs in its own turn of the event loop', async () => {
  const turns = start();
  let turn = 0;
  const count = () => {
    turn += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  const at: number[] = [];
  await turns.do(() => {
    at.push(turn);
    return at.length === 5 || undefined;
  }, proven('a'));
  clearImmediate(immediate);
  expect(new Set(at).size).toBe(5);
});

test('hosts take turns, so much work of one does not delay others', async () => {
  const turns = start();
  const noted: string[] = [];
  const long = turns.do(work('long', 6, noted), proven('a'));
  const own = turns.do(work('own', 1, noted), proven('a'));
  const other = turns.do(work('other', 2, noted), proven('b'));
  expect(await Promise.all([long, own, other])).toEqual(['long', 'own', 'other']);
  expect(noted.slice(0, 4).filter((name) => name === 'other')).toHaveLength(2);
});

test('proven servers go first, and the others have a quarter of the time', async () => {
  const turns = start();
  const noted: string[] = [];
  const busy = (name: string, pieces: number) => {
    const piece = work(name, pieces, noted);
    return (untilMs: number) => {
      while (performance.now() < untilMs);
      return piece();
    };
  };
  const beganAtMs = performance.now();
  const candidate = turns.do(busy('candidate', 5), unproven('a'));
  await turns.do(busy('server', 3), proven('b'));
  expect(noted).toEqual(['server', 'server', 'server']);
  await candidate;
  // Five pieces of 2 ms, and between them three times as long.
  expect(performance.now() - beganAtMs).toBeGreaterThan(3 * 4 + 5 * 2 + 4 * 6 - 1);
});

test('aborted work is not done and rejects, and so does work that throws', async () => {
  const turns = start();
  const stop = new AbortController();
  const noted: string[] = [];
  const aborted = turns.do(work('aborted', 5, noted), { ...proven('a'), signal: stop.signal });
  stop.abort();
  await expect(aborted).rejects.toThrow('stopped');
  const failing = turns.do(() => {
    throw new Error('no snapshot');
  }, proven('a'));
  await expect(failing).rejects.toThrow('no snapshot');
  expect(noted).toEqual([]);
});
