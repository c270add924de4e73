import { describe, expect, jest, test } from '@jest/globals';
import { secrets, shownBy, writeSecrets } from '../../support/contentSecrets.js';
import { emptyStore } from '../../support/emptyStore.js';
import { eventually } from '../../support/eventually.js';
import { askEveryRoute, operationsWith } from '../../support/everyRoute.js';
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
import { edit, enter } from '../../system/rooms/support/rooms.js';

jest.setTimeout(120_000);

const room = 'room';
const hidden = { SHOW_CONTENT: 'false', INSPECT: 'true' };

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

/** Of documents it says only which cannot be read, or differ. */
const aboutDocuments = 'listWatchedRooms';
const showing = operationsWith('ContentHidden').filter((id) => id !== aboutDocuments);

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
      expect(Object.keys(shown()).sort()).toEqual(showing);
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
