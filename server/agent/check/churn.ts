import type { Bench, Epoch } from './bench.js';
import type { Connection } from './opener.js';

/** What a churn did. */
export interface Churned {
  readonly epochs: readonly Epoch[];
  /** How many connections are open in each room. */
  readonly open: ReadonlyMap<string, number>;
  /** How many connections opened and closed. */
  readonly changes: number;
}

const workers = 6;

/** Opens and closes connections at random while it activates the server again and again. */
export async function churn(bench: Bench, rooms: readonly string[]): Promise<Churned> {
  const { many } = bench.connections.opener;
  const open = new Map(rooms.map((room) => [room, 0]));
  const epochs: Epoch[] = [];
  let left = many;
  let isOver = false;
  const work = Promise.all(Array.from({ length: workers }, worker));
  const ended = work.finally(() => {
    isOver = true;
  });
  // Awaited below, after the activations.
  ended.catch(() => undefined);
  const deadline = performance.now() + bench.withinMs;
  do epochs.push(await bench.activate());
  while (!isOver || (!isCounted() && performance.now() < deadline));
  await ended;
  return { epochs, open, changes: many };

  async function worker(): Promise<void> {
    const mine: [room: string, connection: Connection][] = [];
    while (left > 0) {
      left -= 1;
      const leaving = Math.random() < mine.length / 6 ? mine.shift() : undefined;
      if (leaving) {
        count(leaving[0], -1);
        await bench.connections.close(leaving[1]);
      } else {
        const room = rooms[Math.floor(Math.random() * rooms.length)] ?? '';
        mine.push([room, await bench.connections.open(room)]);
        count(room, 1);
      }
    }
  }

  /** Commands connect some time after they have started. */
  function isCounted(): boolean {
    const newest = epochs.at(-1);
    return [...open].every(([room, n]) => newest && bench.count(room, newest) === n);
  }

  function count(room: string, add: number): void {
    open.set(room, (open.get(room) ?? 0) + add);
  }
}
