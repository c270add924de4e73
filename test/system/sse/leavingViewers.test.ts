import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import Koa from 'koa';
import { createApp } from '../../../server/http/app.js';
import { Viewer } from '../../../server/sse/viewer.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { FakeSource } from '../../support/fakeSource.js';
import { turns, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const json = async (url: string) => JSON.parse((await ask(url)).text);

test('each viewer is removed once, however it leaves', async () => {
  const service = await harness.service();
  const viewersAre = (viewers: number) =>
    eventually(async () =>
      expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers }),
    );
  const stays = await harness.stream(service);
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const { socket, send, text } = harness.socket(service);
    send('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => expect(text()).toContain('data: {}'));
    await viewersAre(2);
    socket[leave]();
    await viewersAre(1);
  }
  expect(stays.isEnded()).toBe(false);
});

/** An application with a feed, and what its machine would have heard. */
async function lone() {
  const feed = harness.feed(new FakeSource());
  const heard = { connected: 0, disconnected: 0 };
  const viewerConnected = () => {
    heard.connected += 1;
  };
  const viewerDisconnected = () => {
    heard.disconnected += 1;
  };
  const needs = appNeeds({ streams: { feed, viewerConnected, viewerDisconnected } });
  return { feed, heard, at: await harness.app(createApp(needs)) };
}

test('pipelined streams end with their connection', async () => {
  const { feed, heard, at } = await lone();
  const client = harness.socket(at);
  client.send('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
  await eventually(() => expect(feed.viewers).toBe(3));
  await eventually(() => expect(heard.connected).toBe(3));
  client.socket.destroy();
  await eventually(() => expect(feed.viewers).toBe(0));
  expect(heard).toEqual({ connected: 3, disconnected: 3 });
});

test('a client that left before its stream was created is gone at once', async () => {
  let gone = 0;
  const app = new Koa();
  app.use(async (ctx) => {
    await once(ctx.req.socket, 'close');
    await turns();
    new Viewer(ctx).onGone(() => {
      gone += 1;
    });
  });
  const client = harness.socket(await harness.app(app));
  client.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(client.socket, 'connect');
  client.socket.end();
  await eventually(() => expect(gone).toBe(1));
});

test('no viewer is left over, in whatever order they connect and leave', async () => {
  const visit = fc.record({
    kind: fc.constantFrom('rooms', 'changes'),
    waits: fc.constantFrom('not', 'for turns', 'for a frame'),
    leaves: fc.constantFrom('destroy' as const, 'resetAndDestroy' as const, 'end' as const),
  });
  const { feed, heard, at } = await lone();
  const witness = harness.socket(at);
  witness.send('GET /api/events HTTP/1.0\r\n\r\n');
  await eventually(() => expect(heard.connected).toBe(1));

  const visits = fc.sample(visit, 50);
  await Promise.all(
    visits.map(async ({ kind, waits, leaves }, i) => {
      await turns(i % 7);
      const { socket, send, text } = harness.socket(at);
      send(`GET /api/events?stream=${kind} HTTP/1.0\r\n\r\n`);
      if (waits === 'for turns') await turns(i % 11);
      if (waits === 'for a frame') await eventually(() => expect(text()).toContain('data: '));
      feed.publish();
      socket[leaves]();
    }),
  );
  await eventually(() => expect(feed.viewers).toBe(1));
  await eventually(() => expect(heard.connected - heard.disconnected).toBe(1));
  witness.socket.destroy();
  await eventually(() => expect(feed.viewers).toBe(0));
  expect(heard.disconnected).toBe(heard.connected);
});
