import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { makeCertificate } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { startDouble, startStaged, visits } from '../../support/stage.js';
import { type StartTlsProxy, startNginxForUsers, tlsProxies } from './support/tlsProxies.js';

const token = 'a-token-that-nobody-guesses';
const certificate = makeCertificate('DNS:localhost', 'IP:127.0.0.1');
const folder = dirname(certificate.file);
const files = {
  cert: certificate.file,
  key: join(folder, 'key.pem'),
  both: join(folder, 'both.pem'),
};
await writeFile(files.both, certificate.cert + certificate.key);

async function stageBehind(start: StartTlsProxy, more: Record<string, string> = {}) {
  const double = await startDouble();
  double.rooms.set('notes', 1);
  const env = { DASHBOARD_TOKEN: token, TRUSTED_PROXIES: '127.0.0.1', ...more };
  const service = await startStaged([double], env, { isHurried: true });
  const place = { service: { port: Number(new URL(service.url).port) }, files };
  const plainPort = await freePort();
  const { port } = await start({ ...place, plainPort });
  return { double, plainPort, url: `https://localhost:${port}` };
}

/** Sends a request over https. */
async function askTls(
  url: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: object; body?: string } = {},
) {
  const options = { method, headers: { ...headers }, agent: false, ca: certificate.cert };
  const outgoing = request(url, options).end(body);
  const [incoming] = await once(outgoing, 'response');
  return { status: incoming.statusCode, headers: incoming.headers, text: await text(incoming) };
}

const changes = '/api/events?stream=changes';
const authorization = `Bearer ${token}`;

/** All that a stream has received. */
function textOf(stream: Readable): { text: string } {
  const received = { text: '' };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    received.text += chunk;
  });
  stream.on('error', () => {});
  return received;
}

/** Streams of changes: over one connection of HTTP/2 as browsers have it, or a connection each. */
async function watchMany(url: string, protocol: 'HTTP/1.1' | 'HTTP/2', count: number) {
  if (protocol === 'HTTP/2') {
    const session = visits(connect(url, { ca: certificate.cert }), (it) => it.destroy());
    session.on('error', () => {});
    return Array.from({ length: count }, () =>
      textOf(session.request({ ':path': changes, authorization })),
    );
  }
  const open = async () => {
    const options = { headers: { authorization }, agent: false, ca: certificate.cert };
    const outgoing = visits(request(`${url}${changes}`, options).end(), (it) => it.destroy());
    const [incoming] = await once(outgoing, 'response');
    return textOf(incoming);
  };
  return Promise.all(Array.from({ length: count }, open));
}

describe.each(tlsProxies)(
  'behind %s, as its file in docs/deploy configures it,',
  (_, start, protocol) => {
    test('more streams flow than six', async () => {
      const { double, url } = await stageBehind(start);
      const streams = await watchMany(url, protocol, 8);
      for (let count = 1; count < 4; count += 1) {
        await eventually(() => {
          for (const received of streams) expect(received.text).toContain(`"notes":${count}`);
        });
        await double.open('notes');
      }
    });

    test('signing in sets a cookie that only https carries, and plain http leads to https', async () => {
      const { url, plainPort } = await stageBehind(start);
      const headers = { 'Content-Type': 'application/json', Origin: url };
      const body = JSON.stringify({ token });
      const answer = await askTls(`${url}/api/session`, { method: 'POST', headers, body });
      expect(answer.status).toBe(204);
      expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure/i);
      const plain = await ask(`http://127.0.0.1:${plainPort}/`, { headers: { Host: 'localhost' } });
      expect([301, 308]).toContain(plain.status);
      expect(plain.headers.location).toMatch(/^https:\/\/localhost/);
    });

    test('what only pub-sub servers and Prometheus need is not there for others', async () => {
      const { url } = await stageBehind(start);
      const status = async (path: string, method?: string) =>
        (await askTls(`${url}${path}`, { ...(method && { method }) })).status;
      expect(await status('/api/events?token=x', 'POST')).toBe(403);
      expect(await status('/api/events/clients?port=8001')).toBe(403);
      expect(await status('/metrics')).toBe(403);
      expect(await status('/api/events')).toBe(401);
      expect(await status('/')).toBe(200);
    });
  },
);

test('nginx that signs people in names them, whatever a client says, and lets nobody else in', async () => {
  const users = join(folder, 'users');
  // `alice` with the password `secret`, as htpasswd writes it.
  await writeFile(users, 'alice:{PLAIN}secret\n');
  const variables = { PROXY_USER_HEADER: 'X-Forwarded-User', ALLOWED_HOSTS: 'localhost' };
  const { url } = await stageBehind((place) => startNginxForUsers(place, users), variables);
  const Authorization = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
  const session = async (headers: object) => {
    const { status, text } = await askTls(`${url}/api/session`, { headers });
    return [status, status === 200 && JSON.parse(text).user];
  };
  expect(await session({ Authorization, 'X-Forwarded-User': 'mallory' })).toEqual([200, 'alice']);
  expect(await session({ 'X-Forwarded-User': 'mallory' })).toEqual([401, false]);
  const state = await askTls(`${url}/api/state`, { headers: { Authorization } });
  expect(state.status).toBe(200);
});
