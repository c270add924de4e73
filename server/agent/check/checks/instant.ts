import type { Bench, Epoch } from '../bench.js';
import type { Check } from '../check.js';
import { churn } from '../churn.js';
import { expect } from '../verdict.js';

/** Whether the URL and the snapshot change in one instant. */
export const instant: Check[] = [
  {
    id: 'one-instant',
    level: 'MUST',
    section: 'put-apidashboard',
    expects:
      'for every activation: its snapshot and all later posts add up to the open connections',
    needs: ['new-url', 'full-snapshot'],
    run: oneInstant,
  },
  {
    id: 'slow-request',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'a connection that opens while a request arrives is in the snapshot, or posted, once',
    needs: ['new-url', 'full-snapshot'],
    run: slowRequest,
  },
  {
    id: 'overtaken',
    level: 'SHOULD',
    section: 'put-apidashboard',
    expects: 'a request that another one overtakes is applied when it is complete, or not at all',
    needs: ['new-url', 'deactivation'],
    run: overtaken,
  },
];

async function oneInstant(bench: Bench): Promise<string> {
  const rooms = Array.from({ length: 6 }, (_, i) => bench.room(`churn-${i}`));
  const { epochs, open, changes } = await churn(bench, rooms);
  const wrong = () => firstMismatch(bench, epochs, open);
  await bench.until(
    () => wrong() === undefined,
    () => wrong() ?? '',
  );
  const newest = epochs.at(-1);
  if (newest) await bench.barrier(newest);
  const late = wrong();
  expect(late === undefined, late ?? '');
  return `${epochs.length} activations amid ${changes} opened and closed connections`;
}

/** The first room for which a snapshot and the posts since do not make the open connections. */
function firstMismatch(
  bench: Bench,
  epochs: readonly Epoch[],
  open: ReadonlyMap<string, number>,
): string | undefined {
  for (const [room, expected] of open) {
    // From the newest on, each step adds the posts of one URL.
    let sum = 0;
    let above = Number.POSITIVE_INFINITY;
    for (const { number, snapshot } of [...epochs].reverse()) {
      sum += bench.sum(room, number, above);
      above = number;
      const count = snapshot.get(room) ?? 0;
      if (count + sum !== expected)
        return `snapshot ${number} has ${count} in '${room}', the posts since add ${sum}, but ${expected} are open`;
    }
  }
  return undefined;
}

async function slowRequest(bench: Bench): Promise<string> {
  const room = bench.room('slow');
  const before = await bench.activate();
  const during = await bench.activate({
    pause: async () => {
      await bench.connections.open(room);
      await bench.untilSum(room, before, 1);
    },
  });
  await bench.connections.open(room);
  await bench.untilCount(room, before, 2);
  await bench.untilCount(room, during, 2);
  return 'it was counted once';
}

async function overtaken(bench: Bench): Promise<string> {
  const room = bench.room('overtaken');
  await bench.activate();
  // A true overtakes a false. The false is complete last, so the server is silent after it.
  await bench.deactivate(async () => void (await bench.activate()));
  await bench.connections.open(room);
  const next = await bench.activate();
  await bench.barrier(next);
  const posted = bench.sum(room, 0, next.number);
  expect(posted === 0, `after an answered active: false, ${posted} was posted`);
  await bench.untilCount(room, next, 1);
  return 'a false that was complete after a true ends the posts';
}
