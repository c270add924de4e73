import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import { InstanceSignatures, signatureHeader } from '../../../server/cluster/instanceSignatures.js';
import type { Editor } from '../../../server/demo/editors.js';
import type { Service } from '../../../server/service.js';
import { clusterSecret } from '../../support/clusterNeeds.js';
import { secrets, shownBy, writeSecrets } from '../../support/contentSecrets.js';
import { eventually } from '../../support/eventually.js';
import { type Asked, askEveryRoute, readOn } from '../../support/everyRoute.js';
import { nth, startReal } from '../../support/fleet.js';
import { getJson } from '../../support/stage.js';
import { Cluster } from '../../support/testCluster.js';
import { edit } from '../../system/rooms/support/rooms.js';

jest.setTimeout(120_000);

const room = 'room';

describe('instances of a cluster that differ:', () => {
  /** A busy machine ends no leadership. */
  const steady = { CLUSTER_LEASE_MS: '15000', LINGER_MS: '18000' };

  /** The first one leads. */
  async function startCluster(...envs: Record<string, string>[]) {
    const server = await startReal();
    const ada = await edit(server, room, secrets.person);
    writeSecrets(ada);
    const cluster = await Cluster.start(0, 0);
    const instances: Service[] = [];
    for (const env of envs) {
      const all = { ...steady, PUBSUB_SERVERS: server.id, INSPECT: 'true' };
      instances.push(await cluster.add({ ...all, ...env }));
      expect(await cluster.leading()).toBe(instances[0]);
    }
    for (const instance of instances) {
      const viewer = await cluster.watch(instance);
      await eventually(() => expect(viewer.rooms()).toEqual({ [room]: 1 }));
    }
    return { ada, leader: nth(instances, 0), follower: nth(instances, 1) };
  }

  /** Resolves when the streams of an instance that shows content have shown it. */
  const untilShowing = (answers: readonly Asked[], ada: Editor) =>
    eventually(() => {
      ada.type(secrets.update);
      const { watchRoom = [], getRoom = [] } = shownBy(answers, [ada]);
      expect(watchRoom).toEqual(expect.arrayContaining([secrets.document, secrets.update]));
      expect(getRoom).toContain(secrets.document);
    });

  test('a follower that hides content shows nothing by way of a leader that shows it', async () => {
    const { ada, leader, follower } = await startCluster({}, { SHOW_CONTENT: 'false' });
    const seen = await askEveryRoute(leader.url, room);
    const unseen = await askEveryRoute(follower.url, room);
    await untilShowing(seen, ada);
    unseen.push(...(await askEveryRoute(follower.url, room)));
    expect(shownBy(unseen, [ada])).toEqual({});
    const counted = await getJson(`${follower.url}/api/room/servers?room=${room}`);
    expect(counted).toMatchObject({ servers: [{ connections: 1, answer: 'unasked' }] });
  });

  test('a leader that hides content passes nothing on to a follower that shows it, which asks the servers itself', async () => {
    const { ada, leader, follower } = await startCluster({ SHOW_CONTENT: 'false' }, {});
    const seen = await askEveryRoute(follower.url, room);
    const unseen = await askEveryRoute(leader.url, room);
    const passed = await askAsInstance(leader);
    await untilShowing(seen, ada);
    unseen.push(...(await askEveryRoute(leader.url, room)));
    expect(shownBy(unseen, [ada])).toEqual({});
    expect(shownBy(passed, [ada])).toEqual({});
  });

  test('the routes between instances show content only where it is shown', async () => {
    const { ada, leader } = await startCluster({}, { SHOW_CONTENT: 'false' });
    const passed = await askAsInstance(leader);
    await eventually(() => {
      ada.type(secrets.update);
      expect(Object.keys(shownBy(passed, [ada])).sort()).toEqual([
        '/api/instances/rooms/posts',
        '/api/instances/updates',
      ]);
    });
  });
});

/** Asks an instance as another one does: for every route between instances that the sources have. */
async function askAsInstance({ url }: Service): Promise<Asked[]> {
  const [{ id } = { id: '' }] = await getJson<{ id: string }[]>(`${url}/api/instances`);
  const signatures = new InstanceSignatures(clusterSecret, 'test');
  const ask = async (path: string): Promise<Asked> => {
    const target = `${path}?room=${room}`;
    const header = signatures.sign({ method: 'GET', target }, id);
    return {
      operationId: path,
      target,
      accept: '*/*',
      ...(await readOn(url + target, { [signatureHeader]: header })),
    };
  };
  const paths = instancePaths();
  expect(paths).toEqual(
    expect.arrayContaining(['/api/instances/events', '/api/instances/updates']),
  );
  return Promise.all(paths.map(ask));
}

function instancePaths(): string[] {
  const root = new URL('../../../server/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /\.ts$/.test(file));
  const found = sources.flatMap((file) =>
    Array.from(
      readFileSync(new URL(file, root), 'utf8').matchAll(/['`](\/api\/instances\/[\w/]+)/g),
      ([, path = '']) => path,
    ),
  );
  return [...new Set(found)];
}
