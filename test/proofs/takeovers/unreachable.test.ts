import { expect, jest, test } from '@jest/globals';
import type { ServiceOverrides } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { Cluster, roleOf } from '../../support/testCluster.js';

jest.setTimeout(90_000);
const within = { withinMs: 30_000 };

/** A name server of one instance, which can be taken away from it. */
function nameServer() {
  const state = { isCut: false };
  const lookup = (_name: string, _options: object, done: (...answer: unknown[]) => void) => {
    if (state.isCut) done(new Error('ENOTFOUND'));
    else done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  return { state, overrides: { lookup } as unknown as ServiceOverrides };
}

test('a leader that reaches no server hands over to an instance that does', async () => {
  const cluster = await Cluster.start(0, 1);
  const [server] = cluster.servers;
  const known = { PUBSUB_SERVERS: `pubsub.test:${server?.port}` };
  const names = [nameServer(), nameServer()];
  for (const { overrides } of names) await cluster.add(known, overrides);
  const leader = await cluster.leading();
  const follower = await cluster.follower();
  const streams = [await cluster.watch(leader), await cluster.watch(follower)];
  const isRight = () => {
    for (const stream of streams) {
      expect(stream.rooms()).toEqual({ a: 1 });
      expect(stream.seen().complete).toBe(true);
    }
  };
  await eventually(isRight, within);
  const cut = names[cluster.services.indexOf(leader)]?.state;
  if (cut) cut.isCut = true;
  await eventually(() => {
    expect([roleOf(leader), roleOf(follower)]).toEqual(['following', 'leading']);
    isRight();
  }, within);
  // It does not take the lease back.
  expect(leader.instance.getSnapshot().status).toBe('active');
});
