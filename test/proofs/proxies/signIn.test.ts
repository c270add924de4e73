import { expect, test } from '@jest/globals';
import { ask } from '../../support/http.js';
import { startStaged } from '../../support/stage.js';
import {
  exampleFor,
  type StartProxy,
  startApache,
  startCaddy,
  startHaproxy,
  startNginx,
} from './support/proxies.js';

const header = 'X-Forwarded-User';

/** A service to which the proxy of an example signs people in. */
async function stageBehind(start: StartProxy, example: string) {
  const env = { TRUSTED_PROXIES: '127.0.0.1', PROXY_USER_HEADER: header };
  const service = await startStaged([], env, { isHurried: true });
  const { url } = await start({ port: Number(new URL(service.url).port) }, example);
  return (headers: Record<string, string>) => ask(`${url}/dashboard/api/session`, { headers });
}

/** The examples of docs/proxies.md with a line more. */
const nginx = exampleFor('nginx').replace(
  'proxy_http_version 1.1;',
  `proxy_http_version 1.1;\n  proxy_set_header ${header} ada;`,
);
const apache = (verb: string) => `RequestHeader ${verb} ${header} ada\n${exampleFor('apache')}`;
const haproxy = (verb: string) =>
  exampleFor('haproxy').replace(
    'option forwardfor',
    `option forwardfor\n  http-request ${verb}-header ${header} ada`,
  );
const caddy = (sign: string) =>
  exampleFor('caddy').replace(
    'reverse_proxy 127.0.0.1:8000',
    `reverse_proxy 127.0.0.1:8000 {\n header_up ${sign}${header} ada\n}`,
  );

test.each<[string, StartProxy, string]>([
  ['nginx', startNginx, nginx],
  ['Apache', startApache, apache('set')],
  ['HAProxy', startHaproxy, haproxy('set')],
  ['Caddy', startCaddy, caddy('')],
])('%s that sets the header replaces what a client sends', async (_, start, example) => {
  const send = await stageBehind(start, example);
  for (const headers of [{}, { [header]: 'eve' }, { [header.toUpperCase()]: 'eve' }]) {
    const { status, text } = await send(headers);
    expect([status, JSON.parse(text).user]).toEqual([200, 'ada']);
  }
});

test.each<[string, StartProxy, string]>([
  ['Apache', startApache, apache('add')],
  ['HAProxy', startHaproxy, haproxy('add')],
  ['Caddy', startCaddy, caddy('+')],
])('%s that adds its header to that of a client is refused', async (_, start, example) => {
  const send = await stageBehind(start, example);
  expect(JSON.parse((await send({})).text).user).toBe('ada');
  expect((await send({ [header]: 'eve' })).code).toBe('invalid_user');
});
