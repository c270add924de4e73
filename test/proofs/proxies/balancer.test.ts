import { readFile } from 'node:fs/promises';
import { expect, jest, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { visits } from '../../support/stage.js';
import { Cluster } from '../../support/testCluster.js';
import { startHaproxy } from './support/proxies.js';

jest.setTimeout(180_000);

const page = await readFile(new URL('../../../docs/deploy.md', import.meta.url), 'utf8');
const within = { withinMs: 30_000 };

/** The example of docs/deploy.md, before instances at these ports. */
function exampleBefore(ports: readonly number[]): string {
  const [, example = ''] = /^```haproxy\n(.*?)^```$/ms.exec(page) ?? [];
  return ports.reduce(
    (text, port, i) => text.replace(`10.0.0.1${i + 1}:8000`, `127.0.0.1:${port}`),
    example,
  );
}

const file = await readFile(
  new URL('../../../docs/deploy/proxies/haproxy-instances.cfg', import.meta.url),
  'utf8',
);

/** The file of docs/deploy, before instances at these ports. */
function fileBefore(ports: readonly number[]): string {
  const names = ['one', 'two', 'three'];
  return ports.reduce(
    (text, port, i) => text.replace(` ${names[i]}:8000`, ` 127.0.0.1:${port}`),
    file,
  );
}

/** A page of another program: it reads the whole maps, and reconnects as browsers do. */
function watchMaps(url: string) {
  const maps: Record<string, number>[] = [];
  const source = visits(new EventSource(`${url}/api/events`), (it) => it.close());
  source.addEventListener('message', ({ data }) => maps.push(JSON.parse(data)));
  return { maps, isClosed: () => source.readyState === source.CLOSED };
}

test.each([
  ['the example of docs/deploy.md', exampleBefore],
  ['docs/deploy/proxies/haproxy-instances.cfg', fileBefore],
])('behind %s instances are replaced one by one, and viewers notice nothing', async (_, before) => {
  const cluster = await Cluster.start(3, 2, { TRUSTED_PROXIES: '127.0.0.1' });
  await cluster.leading();
  const ports = cluster.services.map(({ url }) => Number(new URL(url).port));
  const { url } = await startHaproxy({ port: 0 }, before(ports));
  await eventually(async () => expect((await ask(`${url}/ready`)).status).toBe(200), within);
  const viewers = Array.from({ length: 9 }, () => watchMaps(url));
  const untilAll = (rooms: Record<string, number>) =>
    eventually(() => {
      for (const { maps, isClosed } of viewers)
        expect([isClosed(), maps.at(-1)]).toEqual([false, rooms]);
    }, within);
  await untilAll({ a: 2 });
  const begun = viewers.map(({ maps }) => maps.findIndex((map) => map.a === 2));
  let connections = 2;
  for (const port of ports) {
    const replaced = cluster.services.find((service) => service.url.endsWith(`:${port}`));
    if (replaced) await cluster.stop(replaced);
    await cluster.servers[0]?.open('a');
    connections += 1;
    await untilAll({ a: connections });
    const successor = await cluster.add({ PORT: String(port), TRUSTED_PROXIES: '127.0.0.1' });
    await eventually(
      async () => expect((await ask(`${successor.url}/ready`)).status).toBe(200),
      within,
    );
  }
  await cluster.servers[1]?.open('b');
  await untilAll({ a: connections, b: 1 });
  // No viewer was given up, and none saw fewer connections than before.
  expect(viewers.filter(({ isClosed }) => isClosed())).toEqual([]);
  for (const [i, { maps }] of viewers.entries()) {
    const seen = maps.slice(begun[i]).map(({ a = 0 }) => a);
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
  }
});
