import { describe, expect, test } from '@jest/globals';
import { createRandom, pick } from '../../../server/demo/random.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import {
  connectTo,
  editIn,
  nth,
  sharedFleet,
  startReal,
  truthOfFleet,
  untilTrue,
} from '../../support/fleet.js';
import { type Relay, startRelay } from '../../support/relay.js';
import {
  noResync,
  patient,
  startStaged,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';

/** No resync: only the deltas can make the counts right. */
const alone = { ...noResync, ...patient, PROBE_INTERVAL_MS: '1000' };

type Leaving = { leave(): Promise<unknown> };

/** People who join and leave the rooms of a fleet at random. Equal seeds make equal choices. */
function startCrowd(fleet: readonly { url: string }[], seed: number) {
  const random = createRandom(seed);
  const present: Leaving[] = [];
  const rooms = ['a', 'b', 'c'].map((room) => `${seed}-${room}`);

  async function join(): Promise<Leaving> {
    const server = pick(random, fleet) ?? nth(fleet, 0);
    const room = pick(random, rooms) ?? '';
    // Some are real editors, which cost more than bare connections.
    if (random() < 0.3) return editIn(server, room);
    const connection = await connectTo(server, room);
    return { leave: () => (random() < 0.5 ? connection.close() : connection.terminate()) };
  }
  /** People come and leave, several at a time. */
  async function stir(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const [leaving] = present.splice(Math.floor(random() * present.length), 1);
      const comers = Math.floor(random() * 4);
      const leaves = leaving && random() < 0.7 ? leaving.leave() : leaving && present.push(leaving);
      present.push(...(await Promise.all(Array.from({ length: comers }, join))));
      await leaves;
    }
  }
  return { random, stir };
}

describe('promise 4, exact: real servers', () => {
  const fleet = sharedFleet(3);
  let quietMoments = 0;

  /** At a quiet moment: the counts are exact, and still are after one more delta of each server. */
  async function expectTruth(viewer: EventStream, relay?: Relay): Promise<void> {
    await untilTrue(viewer, fleet);
    quietMoments += 1;
    const marker = `quiet-${quietMoments}`;
    await Promise.all(fleet.map((server) => connectTo(server, marker)));
    await relay?.settled();
    await eventually(() => expect(viewer.rooms()[marker]).toBe(fleet.length));
    await untilTrue(viewer, fleet);
  }

  test('counts equal the truth at every quiet moment, without a resync', async () => {
    const service = await startStaged(fleet, alone);
    const viewers = [await watch(service), await watchMaps(service)];
    await untilState(service, 'watched');
    const crowd = startCrowd(fleet, 1);
    for (let round = 0; round < 4; round += 1) {
      await crowd.stir(12);
      for (const viewer of viewers) await expectTruth(viewer);
    }
  });

  test('counts are exact while viewers flap, with deltas on their way at every activation', async () => {
    const service = await startStaged(fleet, { ...alone, LINGER_MS: '0' });
    const crowd = startCrowd(fleet, 2);
    for (let round = 0; round < 4; round += 1) {
      const stirring = crowd.stir(15);
      for (let flaps = 0; flaps < 6; flaps += 1) {
        const passing = await watch(service);
        // The jitter is under test: viewers leave before, during and after the activation.
        await new Promise((resolve) => setTimeout(resolve, crowd.random() * 30));
        await passing.close();
      }
      const viewer = await watch(service);
      await stirring;
      await expectTruth(viewer);
      await viewer.close();
    }
  });

  test('counts are exact when every delta is late and overtakes others', async () => {
    const relay = await startRelay();
    const service = await startStaged(fleet, { ...alone, ...relay.env, LINGER_MS: '0' });
    const crowd = startCrowd(fleet, 3);
    relay.decide = () => crowd.random() * 60;
    for (let round = 0; round < 4; round += 1) {
      const passing = await watch(service);
      await crowd.stir(8);
      await passing.close();
      const viewer = await watch(service);
      await crowd.stir(8);
      await expectTruth(viewer, relay);
      await viewer.close();
    }
  });

  test('a lost +1 and a lost -1 are healed by a resync', async () => {
    const relay = await startRelay();
    const env = { ...relay.env, RESYNC_INTERVAL_MS: '700' };
    const service = await startStaged(fleet, env);
    const leaver = await connectTo(nth(fleet, 1), 'lossy');
    const viewer = await watch(service);
    await untilShown(viewer, await truthOfFleet(fleet));
    relay.decide = () => 'lost';
    await leaver.close();
    await connectTo(nth(fleet, 0), 'lossy');
    await connectTo(nth(fleet, 0), 'lossy');
    // A server gathers changes of a few milliseconds.
    const lost = () => relay.seen.reduce((sum, { add }) => sum + Math.abs(add), 0);
    await eventually(() => expect(lost()).toBe(3));
    relay.decide = () => 0;
    await untilTrue(viewer, fleet);
    await eventually(() => expect(viewer.rooms().lossy).toBe(2));
  });

  test('editors of a restarted server are counted once, whether they return before or after its start-up query', async () => {
    const victim = await startReal({ port: await freePort() });
    const service = await startStaged([victim], alone);
    const viewer = await watch(service);
    await Promise.all([1, 2, 3].map(() => editIn(victim, 'back')));
    await untilShown(viewer, { back: 3 });
    await victim.kill();
    const again = await startReal({ port: victim.port, dashboardUrl: service.url });
    // y-websocket reconnects by itself, each editor at its own time.
    await eventually(async () => expect((await again.connections()).back).toBe(3));
    await untilShown(viewer, { back: 3 });
    await connectTo(again, 'back');
    await untilShown(viewer, { back: 4 });
  });
});
