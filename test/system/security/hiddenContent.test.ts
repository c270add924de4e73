import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import { InstanceSignatures, signatureHeader } from '../../../server/cluster/instanceSignatures.js';
import type { Editor } from '../../../server/demo/editors.js';
import type { Service } from '../../../server/service.js';
import { clusterSecret } from '../../support/clusterNeeds.js';
import { secrets, secretsIn, writeSecrets } from '../../support/contentSecrets.js';
import { emptyStore } from '../../support/emptyStore.js';
import { eventually } from '../../support/eventually.js';
import { type Asked, askEveryRoute, operationsWith, readOn } from '../../support/everyRoute.js';
import { nth, startReal } from '../../support/fleet.js';
import { ask } from '../../support/http.js';
import { startRest } from '../../support/restApi.js';
import {
  getJson,
  startDouble,
  startStaged,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { Cluster } from '../cluster/support.js';
import { edit, enter } from '../rooms/support/rooms.js';

jest.setTimeout(120_000);

const room = 'room';
const hidden = { SHOW_CONTENT: 'false', INSPECT: 'true' };

/** Which operations have shown which secrets so far. */
function shownBy(answers: readonly Asked[], editors: readonly Editor[]): Record<string, string[]> {
  const clients = editors.map(({ doc }) => doc.clientID);
  const shown = answers
    .map(({ operationId, body }) => [operationId, secretsIn(body(), clients)] as const)
    .filter(([, found]) => found.length > 0);
  return Object.fromEntries(shown);
}

/** A real server with a room that is edited, and a service that shows it beside one that does not. */
async function startBoth() {
  const server = await startReal();
  const ada = await edit(server, room, secrets.person);
  writeSecrets(ada);
  const servers = [server];
  const store = { store: emptyStore };
  const shows = await startRest(store, { servers, env: { INSPECT: 'true' } });
  const hides = await startRest(store, { servers, env: hidden });
  for (const service of [shows, hides]) await untilShown(await watchMaps(service), { [room]: 1 });
  return { server, ada, shows, hides };
}

describe('a service with SHOW_CONTENT=false', () => {
  test('shows no document, no update and nobody on any route, while another one does', async () => {
    const { ada, shows, hides } = await startBoth();
    const seen = await askEveryRoute(shows.url, room);
    const unseen = await askEveryRoute(hides.url, room);
    const shown = () => shownBy(seen, [ada]);
    await eventually(() => {
      ada.type(secrets.update);
      expect(Object.values(shown()).flat()).toContain(secrets.update);
    });
    // Now there are updates in the log, too.
    seen.push(...(await askEveryRoute(shows.url, room)));
    unseen.push(...(await askEveryRoute(hides.url, room)));
    // The routes that show something are those that say that it may be hidden.
    await eventually(() => {
      ada.type(secrets.update);
      expect(Object.keys(shown()).sort()).toEqual(operationsWith('ContentHidden'));
      const all = [...new Set(Object.values(shown()).flat())];
      expect(all.sort()).toEqual([...Object.values(secrets), `${ada.doc.clientID}`].sort());
    });
    expect(shownBy(unseen, [ada])).toEqual({});
    const refused = unseen.filter(({ body }) =>
      /"(code|documentError)":"content_hidden"/.test(body().toString()),
    );
    expect([...new Set(refused.map(({ operationId }) => operationId))].sort()).toEqual(
      operationsWith('ContentHidden'),
    );
    for (const { target, accept, status } of refused)
      expect([target, status]).toEqual([target, accept === 'application/json' ? 200 : 403]);
  });

  test('goes on counting, and says which servers have connections to a room', async () => {
    const { server, hides } = await startBoth();
    const get = <T>(path: string) => getJson<T>(hides.url + path);
    const connections = [{ id: server.id, connections: 1 }];
    expect(await get(`/api/counts?room=${room}`)).toMatchObject([{ servers: connections }]);
    expect(await get('/api/rooms')).toMatchObject([{ id: room, connections: 1 }]);
    const asked = [{ server: server.id, connections: 1, answer: 'unasked', finding: null }];
    expect(await get(`/api/room/servers?room=${room}`)).toMatchObject({
      servers: asked,
      askable: false,
      notAsked: 0,
    });
    const { text } = await ask(`${hides.url}/api/room?room=${room}`, {
      headers: { Accept: 'application/json' },
    });
    expect(JSON.parse(text)).toMatchObject({
      connections: 1,
      servers: asked,
      document: null,
      documentError: 'content_hidden',
    });
    expect(
      await ask(`${hides.url}/api/room?room=none`, { headers: { Accept: 'application/json' } }),
    ).toMatchObject({ status: 404, code: 'room_not_found' });
    expect(await get('/api/session')).toMatchObject({ showsContent: false });
  });

  test('asks no server for a document or its updates', async () => {
    const [asked, unasked] = [await startDouble(), await startDouble()];
    const services = [await startStaged([asked]), await startStaged([unasked], hidden)];
    for (const [i, double] of [asked, unasked].entries()) {
      const service = nth(services, i);
      const viewer = await watch(service);
      await untilState(service, 'watched');
      await double.open(room);
      await untilShown(viewer, { [room]: 1 });
      await askEveryRoute(service.url, room);
    }
    const contentRequests = ({ requests }: typeof asked) =>
      requests.filter(
        ({ path, body }) => /^\/api\/(room|dashboard\/rooms)/.test(path) || /updates/.test(body),
      );
    await eventually(() => {
      const [paths, bodies] = [contentRequests(asked), contentRequests(asked)];
      expect(paths.map(({ path }) => path)).toContain(`/api/room?id=${room}`);
      expect(bodies.map(({ body }) => body).join()).toContain('"updates":true');
    });
    expect(contentRequests(unasked)).toEqual([]);
  });

  test('finds no differences between documents, which others find', async () => {
    const servers = [await startReal(), await startReal()];
    const editors = servers.map((server) => enter(server, room));
    for (const { synced } of editors) await synced;
    for (const editor of editors) writeSecrets(editor);
    const store = { store: emptyStore };
    const shows = await startRest(store, { servers });
    const hides = await startRest(store, { servers, env: hidden });
    for (const service of [shows, hides]) {
      await untilShown(await watchMaps(service), { [room]: 2 });
      await ask(`${service.url}/api/room/servers?room=${room}`);
    }
    await watch(shows, `/api/room/events?room=${room}`);
    await eventually(async () => {
      const { text } = await ask(`${shows.url}/api/room/servers?room=${room}`);
      expect(JSON.parse(text).diverged).toHaveLength(2);
    });
    const { text } = await ask(`${hides.url}/api/room/servers?room=${room}`);
    expect(JSON.parse(text)).not.toHaveProperty('diverged');
    expect(shownBy(await askEveryRoute(hides.url, room), editors)).toEqual({});
  });
});

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
