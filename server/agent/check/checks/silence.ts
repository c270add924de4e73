import type { Bench, Epoch } from '../bench.js';
import type { Check } from '../check.js';
import { expect } from '../verdict.js';

/** Whether a server that is not active posts nothing. */
export const silence: Check[] = [
  {
    id: 'silent-when-inactive',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'after active: false nothing is posted, then or later',
    needs: ['deltas', 'new-url', 'deactivation'],
    run: silentWhenInactive,
  },
];

/** Judged last: nothing is posted at the end. */
export const silenceAtTheEnd: Check[] = [
  {
    id: 'silent-at-the-end',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'after the last active: false nothing is posted',
    needs: ['deactivation', 'startup-without-answer'],
    run: silentAtTheEnd,
  },
];

async function silentWhenInactive(bench: Bench): Promise<string> {
  const [closed, opened] = [bench.room('closed'), bench.room('opened')];
  const active = await bench.activate();
  const connection = await bench.connections.open(closed);
  await bench.untilSum(closed, active, 1);
  await bench.deactivate();
  const inactive = bench.newest;
  await bench.connections.open(opened);
  await bench.connections.close(connection);
  const next = await untilSeen(bench, opened, closed);
  await bench.barrier(next);
  await bench.untilCount(opened, next, 1);
  await bench.untilCount(closed, next, 0);
  const problem = () => {
    const posted = [opened, closed].map((room) => bench.sum(room, 0, inactive + 1));
    const seen = `posts for a connection that opened: ${posted[0]}, for one that closed: ${1 - (posted[1] ?? 0)}`;
    return posted[0] === 0 && posted[1] === 1 ? undefined : seen;
  };
  // They can come later.
  bench.claims.push(problem);
  expect(problem() === undefined, problem() ?? '');
  return 'one opened and one closed meanwhile, neither was posted';
}

/** Activates until one room is in the snapshot and the other is not. Both changes happened while inactive. */
async function untilSeen(bench: Bench, opened: string, closed: string): Promise<Epoch> {
  const deadline = performance.now() + bench.withinMs;
  for (;;) {
    const epoch = await bench.activate();
    const { snapshot } = epoch;
    if (snapshot.has(opened) && !snapshot.has(closed)) return epoch;
    const seen = snapshot.has(opened) ? 'still has one that closed' : 'misses one that opened';
    expect(performance.now() < deadline, `the snapshot ${seen} before`);
    await bench.deactivate();
  }
}

async function silentAtTheEnd(bench: Bench): Promise<string> {
  await bench.deactivate();
  const room = bench.room('end');
  const connection = await bench.connections.open(room);
  await bench.connections.close(connection);
  const { watchMs } = bench.parts;
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  const posted = bench.listener.posts.filter(({ entries }) =>
    entries.some((entry) => entry.room === room),
  );
  expect(posted.length === 0, `${posted.length} posts for a connection while inactive`);
  return `nothing in ${watchMs} ms`;
}
