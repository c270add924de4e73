import { describe, expect, test } from '@jest/globals';
import type { RouterInstance } from '@koa/router';
import { createApp } from '../../../server/http/app.js';
import { errors } from '../../../server/http/errors.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { editIn, startReal } from '../../support/fleet.js';
import { type AskOptions, ask } from '../../support/http.js';
import {
  check,
  description,
  escaped,
  operations,
  type Response,
  resolve,
  text,
  validatorOf,
} from '../../support/openapi.js';
import { breakable, get, sharedStore, startRest } from '../../support/restApi.js';
import { startDouble, untilShown, watch, watchMaps } from '../../support/stage.js';

const { tables } = sharedStore();

/** Answers seen, by operation, status and type. */
const seen = new Set<string>();

describe('the description', () => {
  test('is OpenAPI 3.1 with valid references and an id for every operation', () => {
    expect(description.openapi).toMatch(/^3\.1\./);
    for (const [, pointer = ''] of text.matchAll(/\$ref: '([^']+)'/g)) resolve(pointer);
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, method, operation, shared } of operations) {
      const parameters = [...shared, ...(operation.parameters ?? [])].map((parameter) =>
        parameter.$ref ? (resolve(parameter.$ref).value as typeof parameter) : parameter,
      );
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect([path, inPath.map(({ name }) => `{${name}}`)]).toEqual([
        path,
        path.match(/{\w+}/g) ?? [],
      ]);
      for (const status of Object.keys(operation.responses)) {
        const { pointer, value } = resolve(
          `#/paths/${escaped(path)}/${method}/responses/${status}`,
        );
        for (const type of Object.keys((value as Response).content ?? {}))
          validatorOf(`${pointer}/content/${escaped(type)}/schema`);
      }
    }
  });

  test('lists the codes of the catalogue', () => {
    const { code } = description.components.schemas.Error.properties.error.properties;
    expect(code.enum.toSorted()).toEqual(Object.keys(errors).sort());
    // Codes that responses speak of, and their statuses.
    for (const { path, method, operation } of operations)
      for (const status of Object.keys(operation.responses)) {
        if (!/^[45]/.test(status)) continue;
        const { value } = resolve(`#/paths/${escaped(path)}/${method}/responses/${status}`);
        const { description: words } = value as { description: string };
        const named = [...words.matchAll(/`(\w+)`/g)].flatMap(([, name = '']) =>
          name in errors ? [name] : [],
        );
        expect([words, named.length > 0]).toEqual([words, true]);
        for (const name of named)
          expect([name, String(errors[name as keyof typeof errors].status)]).toEqual([
            name,
            status,
          ]);
      }
  });

  test('has every route of the service, and no other', () => {
    const { middleware } = createApp(appNeeds()) as unknown as {
      middleware: { router?: RouterInstance }[];
    };
    const stack = middleware.flatMap(({ router }) => router?.stack ?? []);
    const routes = stack.flatMap((layer) =>
      layer.methods.filter((method) => method !== 'HEAD').map((method) => ({ method, layer })),
    );
    const samples = operations.map(({ path, method }) => ({
      method: method.toUpperCase(),
      path: path.replace('{hour}', '5').replace('{name}', 'name').replace('{file}', 'name'),
    }));
    // Of two routes that a path may mean the first has it.
    const found = samples.map((sample) =>
      routes.find(({ method, layer }) => method === sample.method && layer.match(sample.path)),
    );
    expect(samples.filter((_, i) => !found[i])).toEqual([]);
    expect(routes.filter((route) => !found.includes(route)).map(({ layer }) => layer.path)).toEqual(
      [],
    );
    expect(new Set(found).size).toBe(routes.length);
  });

  test('has the URL of the service, under any path', () => {
    const [{ url } = { url: '' }] = description.servers;
    for (const root of [
      'http://a.example',
      'https://a.example/dashboard',
      'http://a.example/b/c',
    ]) {
      // OpenAPI 3.1, "Relative References in URLs"; tools take the slash at its end off.
      const base = new URL(url, `${root}/openapi.json`).href.replace(/\/$/, '');
      expect(base).toBe(root);
    }
  });

  test('is served as JSON without authentication', async () => {
    const service = await startRest(await tables(), { env: { DASHBOARD_TOKEN: 'secret' } });
    const answer = await get(service, '/openapi.json');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.json()).toEqual(description);
  });

  test('says for each path whether it requires a token', async () => {
    const service = await startRest(await tables(), { env: { DASHBOARD_TOKEN: 'secret' } });
    for (const { path, method, operation } of operations) {
      const url = `${service.url}${path.replace('{hour}', '5').replace('{name}', 'name').replace('{file}', 'name')}`;
      const answer = await ask(url, { method: method.toUpperCase() });
      const isOpen = operation.security?.length === 0;
      expect([path, method, answer.status !== 401]).toEqual([path, method, isOpen]);
      if (isOpen) continue;
      check(path, method, { ...answer, body: answer.text });
    }
  });
});

describe('real answers match the description:', () => {
  /** Asks a service, and holds the answer against the operation. */
  const asker =
    ({ url }: { url: string }) =>
    async (operation: string, target: string, status: number, options: AskOptions = {}) => {
      const [method = '', path = ''] = operation.split(' ');
      const answer = await ask(target.startsWith('http') ? target : url + target, {
        method: method.toUpperCase(),
        ...options,
      });
      expect([target, answer.status]).toEqual([target, status]);
      seen.add(check(path, method, { ...answer, body: answer.text }));
      return answer;
    };
  const json = { headers: { Accept: 'application/json' } };

  test('of a service with servers, rooms and viewers', async () => {
    const own = await tables();
    const server = await startReal({ store: own.writer });
    const double = await startDouble();
    double.rooms.set('a=b', 1).set('', 1);
    double.respond({ kind: 'status', status: 500, times: 1 });
    const service = await startRest(own, { servers: [server, double] });
    const of = asker(service);
    await of('get /health', '/health', 200);
    await of('get /ready', '/ready', 200);
    await of('get /metrics', '/metrics', 200);
    await of('get /metrics', '/metrics?fleet=x', 400);
    await of('get /openapi.json', '/openapi.json', 200);
    const page = await of('get /', '/', 200);
    const parts = [/assets\/[^"]+\.js/, /assets\/[^"]+\.css/, /assets\/[^"]+\.svg/];
    for (const [part = ''] of parts.map((each) => page.text.match(each) ?? []))
      await of('get /assets/{file}', `/${part}`, 200);
    await of('get /assets/{file}', '/assets/none.js', 404);
    await of('get /api/servers', '/api/servers', 200);
    await of('get /api/state', '/api/state', 200);
    await of('get /api/instances', '/api/instances', 200);
    await of('get /api/dependencies', '/api/dependencies', 200);
    await of('get /api/machines', '/api/machines', 200);
    const machine = 'get /api/machines/{id}';
    await of(machine, '/api/machines/pubSubServer?limit=1', 200);
    await of(machine, '/api/machines/activation', 200);
    await of(machine, '/api/machines/none', 404);
    await of(machine, '/api/machines/room?limit=0', 400);
    for (const path of ['/inspect', '/inspect/relay.js', '/inspect/events'])
      await of(`get ${path}`, path, 404);
    await of('get /api/rooms', '/api/rooms', 200);
    await of('get /api/connections/latest', '/api/connections/latest', 200);
    await of('get /api/observations', '/api/observations', 200);
    await of('get /api/activity', '/api/activity', 200);
    await of('get /api/activity', '/api/activity?after=no', 400);
    for (const query of ['', '?step=30', '?server=none', '?room=none'])
      await of('get /api/history', `/api/history${query}`, 200);
    await of('get /api/history', '/api/history?step=2', 400);
    await of('get /api/history/rooms', '/api/history/rooms?room=none', 200);
    await of('get /api/history/rooms', '/api/history/rooms', 400);

    const viewer = await watchMaps(service);
    const editor = await editIn(server, 'edited');
    editor.doc.getMap('map').set('key', { nested: [1, null] });
    editor.type('typed');
    await untilShown(viewer, { edited: 1, 'a=b': 1, '': 1 });
    await own.putRoom('dead', {
      remoteDocs: { SS: ['127.0.0.1:9'] },
      bytes: { N: '1.5' },
      createdAt: { N: '1' },
    });
    await eventually(async () => {
      const { text: shown } = await ask(`${service.url}/api/connections/latest`);
      expect(shown).toContain('edited');
    });
    await of('get /api/servers', '/api/servers', 200);
    await of('get /api/state', '/api/state', 200);
    await eventually(async () => {
      const { text: numbers } = await ask(`${service.url}/api/history?server=${double.id}`);
      expect(JSON.parse(numbers).connections.length).toBeGreaterThan(0);
    });
    for (const query of ['', '?step=30', `?server=${double.id}`, '?room=edited'])
      await of('get /api/history', `/api/history${query}`, 200);
    await of('get /api/counts', '/api/counts?room=edited&room=none', 200);
    await of('get /api/counts', '/api/counts', 400);
    const serverRooms = 'get /api/servers/rooms';
    for (const id of [double.id, 'none'])
      await of(serverRooms, `/api/servers/rooms?server=${id}`, 200);
    await of(serverRooms, '/api/servers/rooms', 400);
    const requests = 'get /api/servers/requests';
    for (const id of [double.id, 'none'])
      await of(requests, `/api/servers/requests?server=${id}`, 200);
    await of(requests, '/api/servers/requests', 400);
    for (const query of ['', '?limit=1', '?sort=connections&limit=1', '?active=true&prefix=e'])
      await of('get /api/rooms', `/api/rooms${query}`, 200);
    await of('get /api/rooms', '/api/rooms?limit=0', 400);
    const room = 'get /api/rooms/{name}';
    await of(room, '/api/rooms/edited', 200);
    for (const name of ['edited', 'a=b', '', 'dead']) {
      await of(room, `/api/rooms/${name}`, 200, json);
      const sub = 'get /api/rooms/{name}/servers';
      await of(sub, `/api/rooms/${name}/servers`, 200);
    }
    await of(room, '/api/rooms/none', 404);
    await of('get /api/rooms/{name}/servers', '/api/rooms/none/servers', 404);
    await of('get /api/room', '/api/room?room=edited', 200);
    for (const name of ['edited', 'a%3Db', '', 'dead']) {
      await of('get /api/room', `/api/room?room=${name}`, 200, json);
      await of('get /api/room/servers', `/api/room/servers?room=${name}`, 200);
    }
    for (const rest of ['', '/servers', '/events', '/log'])
      await of(`get /api/room${rest}`, `/api/room${rest}`, 400);
    for (const rest of ['', '/servers'])
      await of(`get /api/room${rest}`, `/api/room${rest}?room=none`, 404);
    await of('get /api/connections/latest', '/api/connections/latest', 200);
    const since = 'get /api/connections/since_yesterday/{hour}';
    await of(since, '/api/connections/since_yesterday/0', 200);
    await of(since, '/api/connections/since_yesterday/24', 400);

    const log = 'get /api/rooms/{name}/log';
    await of(log, '/api/rooms/edited/log', 200);
    await watch(service, '/api/rooms/edited/events');
    await eventually(async () => {
      editor.type('more');
      await of(log, '/api/rooms/edited/log', 200);
      await of('get /api/room/log', '/api/room/log?room=edited', 200);
      await of('get /api/watched', '/api/watched', 200);
    });

    await of('get /api/events/clients', '/api/events/clients', 200);
    await of('get /api/session', '/api/session', 200);
    const session = { body: '{"token":""}', headers: { 'Content-Type': 'application/json' } };
    await of('post /api/session', '/api/session', 204, session);
    await of('post /api/session', '/api/session', 400, { ...session, body: '{}' });
    await of('post /api/session', '/api/session', 415);
    await of('delete /api/session', '/api/session', 204);

    const post = 'post /api/events';
    const told = double.eventsUrl ?? 'it was told none';
    await of(post, '/api/events?token=x', 404, { body: '{}' });
    for (const body of ['{"room":"r","add":1}', '[]']) await of(post, told, 204, { body });
    await of(post, told, 400, { body: '{' });
    await of(post, told, 400, { body: '{"room":1}' });
    const gzip = { 'Content-Encoding': 'gzip' };
    await of(post, told, 415, { body: '{}', headers: gzip });
    const large = { 'Content-Length': 9_999_999 };
    await of(post, told, 413, { headers: large, isLeftOpen: true });
    for (const path of ['/api/events', '/api/updates'])
      await of(`get ${path}`, `${path}?stream=x&as=x`, 400);
    await of('get /api/rooms/{name}/events', '/api/rooms/r/events?as=x', 400);
    await of('get /api/rooms', '/api/rooms', 405, { method: 'DELETE' });
  });

  test('of one whose store fails, and that has reached MAX_VIEWERS', async () => {
    const own = await tables();
    const broken = breakable(own.store);
    await own.putRooms(['a']);
    const service = await startRest(broken, {
      overrides: { discoveryIntervalMs: 20 },
      env: {
        MAX_VIEWERS: '1',
        DYNAMODB_TABLE: 'given',
        INSPECT: 'true',
        PUBSUB_DNS: 'pubsub.invalid',
        PUBSUB_DNS_SERVER: '127.0.0.1:9',
      },
    });
    const of = asker(service);
    const sub = 'get /api/rooms/{name}/servers';
    await of('get /api/rooms', '/api/rooms', 200);
    await of(sub, '/api/rooms/a/servers', 200);
    await of('get /api/connections/latest', '/api/connections/latest', 200);
    broken.break();
    await watchMaps(service);
    const stale = await of('get /api/rooms', '/api/rooms', 200);
    expect(stale.headers).toHaveProperty('x-stale');
    await of('get /api/rooms', '/api/rooms?limit=3', 503);
    await of('get /api/rooms/{name}', '/api/rooms/a', 200, json);
    await of('get /api/rooms/{name}', '/api/rooms/b', 503);
    await of(sub, '/api/rooms/a/servers', 200);
    await of(sub, '/api/rooms/b/servers', 503);
    for (const rest of ['', '/servers'])
      await of(`get /api/room${rest}`, `/api/room${rest}?room=b`, 503);
    await of('get /api/connections/latest', '/api/connections/latest', 200);
    const since = 'get /api/connections/since_yesterday/{hour}';
    await of(since, '/api/connections/since_yesterday/0', 503);
    await eventually(async () => {
      const { headers } = await of('get /api/servers', '/api/servers', 200);
      expect(headers).toHaveProperty('x-discovery-failed');
    });
    await of('get /api/state', '/api/state', 200);
    await eventually(async () => {
      const { text } = await of('get /api/dependencies', '/api/dependencies', 200);
      expect(JSON.parse(text)).toEqual([expect.objectContaining({ state: 'fails' })]);
    });
    await of('get /inspect', '/inspect', 200);
    await of('get /inspect/relay.js', '/inspect/relay.js', 200);
    await of('get /inspect/events', '/inspect/events?events=x', 400);
    const streams = ['/api/events', '/api/updates', '/api/rooms/{name}/events', '/inspect/events'];
    for (const path of [...streams, '/api/room/events']) {
      const target = `${path.replace('{name}', 'a')}?room=a`;
      await of(`get ${path}`, target, 200);
      await of(`get ${path}`, target, 503, json);
    }
  });

  test('and every operation with an answer in JSON, or a stream, was seen', () => {
    const expected = operations.flatMap(({ path, method, operation }) => {
      const { value } = resolve(
        `#/paths/${escaped(path)}/${method}/responses/${operation.responses['200'] ? 200 : 204}`,
      );
      const types = Object.keys((value as Response).content ?? { '': {} });
      const status = operation.responses['200'] ? 200 : 204;
      return types.map((type) => `${operation.operationId} ${status} ${type}`);
    });
    expect(expected.filter((each) => !seen.has(each))).toEqual([]);
  });
});
