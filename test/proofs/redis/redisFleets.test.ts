import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { RedisChannels } from '../../../server/redis/redisChannels.js';
import { eventually } from '../../support/eventually.js';
import { startCluster, startSentinels } from '../../support/redisFleets.js';
import type { RedisServer } from '../../support/redisServer.js';
import { owns } from '../../support/stage.js';

const secret = 'hunter2';

function follow(url: string) {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) });
  const patient = { pingEveryMs: 500, answerWithinMs: 1000 };
  const channels = owns(new RedisChannels(url, log, patient), (it) => it.close());
  const events: string[] = [];
  const follower = {
    onSubscribed: () => void events.push('subscribed'),
    onLost: () => void events.push('lost'),
    onMessage: (message: Buffer) => void events.push(message.toString()),
  };
  const leaves = [channels.follow('r', follower), channels.followPattern('*', follower)];
  return { events, lines, leave: () => void leaves.map((each) => each()) };
}

/** That what is published at any of these comes by the channel and by the pattern. */
async function untilHeard({ events }: { events: string[] }, publishers: readonly RedisServer[]) {
  for (const publisher of publishers) {
    const word = `${events.length} at ${publisher.port}`;
    // The bus of a cluster brings it once it is linked, which nobody says.
    await eventually(async () => {
      await publisher.publish('r', word);
      expect(events.filter((event) => event === word).length).toBeGreaterThanOrEqual(2);
    });
  }
}

const hosts = (servers: readonly RedisServer[]) =>
  servers.map(({ port }) => `127.0.0.1:${port}`).join(',');

/** The one of these that the follower is subscribed to. */
async function subscribedAt(servers: readonly RedisServer[]): Promise<RedisServer> {
  return eventually(async () => {
    for (const server of servers) if ((await server.subscribers('r')) > 0) return server;
    throw new Error('nobody is subscribed');
  });
}

test('of a cluster any node brings what is published at each, and when it is killed another does', async () => {
  const nodes = await startCluster({ password: secret });
  const following = follow(`redis://:${secret}@${hosts(nodes)}`);
  let left: RedisServer[] = nodes;
  await untilHeard(following, left);
  for (const expected of [2, 1]) {
    const node = await subscribedAt(left);
    await node.stop();
    left = left.filter((each) => each !== node);
    expect(left).toHaveLength(expected);
    await untilHeard(following, left);
  }
  expect(following.events.filter((event) => event === 'lost')).toHaveLength(4);
  expect(following.lines.join('')).not.toContain(secret);
  following.leave();
});

test('a node of a cluster that nobody named is found, and asked when the others are gone', async () => {
  const nodes = await startCluster();
  // One that knows the others, and one that is nowhere.
  const following = follow(`redis://${hosts([nodes[0]])},127.0.0.1:1`);
  const seen = new Set<RedisServer>();
  await untilHeard(following, nodes);
  for (let i = 0; i < 40 && seen.size < 2; i += 1) {
    const node = await subscribedAt(nodes);
    seen.add(node);
    await node.cutSubscribers();
    await untilHeard(following, [node]);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test('a user who may only subscribe follows a cluster by the nodes that were named', async () => {
  const nodes = await startCluster();
  for (const node of nodes)
    await node.call(
      'ACL',
      'SETUSER',
      'us',
      'on',
      '>x',
      'allchannels',
      '+subscribe',
      '+psubscribe',
      '+ping',
    );
  const following = follow(`redis://us:x@${hosts(nodes)}`);
  await untilHeard(following, nodes);
});

test('of Sentinels the primary is asked for, and the next one when it is killed', async () => {
  const { primary, replica, sentinels } = await startSentinels({ password: secret });
  const gone = sentinels[0] as RedisServer;
  const following = follow(`redis+sentinel://:${secret}@${hosts(sentinels)}/main`);
  await untilHeard(following, [primary]);
  expect(await subscribedAt([primary, replica])).toBe(primary);
  await Promise.all([primary.stop(), gone.stop()]);
  await untilHeard(following, [replica]);
  expect(await subscribedAt([replica])).toBe(replica);
  expect(following.lines.join('')).not.toContain(secret);
});

test.each(['cluster', 'sentinel'])(
  'of a %s that is not there nothing is left',
  async (kind) => {
    const before = process.getActiveResourcesInfo().length;
    const following = follow(
      kind === 'cluster' ? 'redis://127.0.0.1:1,127.0.0.1:2' : 'redis+sentinel://127.0.0.1:1/main',
    );
    await eventually(() => expect(following.lines.join('')).toContain('redis is unreachable'));
    following.leave();
    await eventually(() =>
      expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before),
    );
  },
  60_000,
);
