import { expect, test } from '@jest/globals';
import Koa from 'koa';
import { StreamCounts } from '../../../server/sse/streamCounts.js';
import { Viewer } from '../../../server/sse/viewer.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';

const harness = useHarness();
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** An application with streams of one kind. */
async function streams() {
  const counts = new StreamCounts();
  const viewers: Viewer[] = [];
  const app = new Koa();
  // A client that leaves is an error to Koa.
  app.on('error', () => {});
  app.use((ctx) => void viewers.push(new Viewer(ctx, undefined, counts)));
  return { counts, viewers, at: await harness.app(app) };
}

async function connect({ at, viewers }: Awaited<ReturnType<typeof streams>>) {
  const client = harness.socket(at);
  client.send(request);
  const viewer = await eventually(() => {
    const [newest] = viewers.splice(0);
    if (!newest) throw new Error('not connected yet');
    return newest;
  });
  return { client, viewer };
}

test('streams count what they send, without heartbeats, and whether they are open', async () => {
  const all = await streams();
  const { counts } = all;
  const { client, viewer } = await connect(all);
  expect(counts).toMatchObject({ open: 1, opened: 1, frames: 0, bytes: 0 });
  viewer.send(Buffer.from('data: 1\n\n'));
  viewer.send([Buffer.from('data: '), Buffer.from('2\n\n')]);
  await eventually(() => expect(client.text()).toContain('data: 2\n\n'));
  expect(counts).toMatchObject({ frames: 2, bytes: 18, dropped: 0 });
  await eventually(() => {
    viewer.heartbeatOrDisconnect(60_000);
    expect(client.text()).toMatch(/:\n\n$/);
  });
  expect(counts).toMatchObject({ frames: 2, bytes: 18, cut: 0 });
  client.socket.destroy();
  await eventually(() => expect(counts).toMatchObject({ open: 0, opened: 1 }));
  viewer.send(Buffer.from('data: 3\n\n'));
  expect(counts.frames).toBe(2);
});

test('a frame for a client that does not read is dropped, and the client is cut', async () => {
  const all = await streams();
  const { counts } = all;
  const { client, viewer } = await connect(all);
  client.socket.pause();
  const frame = Buffer.alloc(900_000, 'x');
  await eventually(() => {
    viewer.send(frame);
    expect(counts.dropped).toBeGreaterThanOrEqual(1);
  });
  expect(counts.bytes).toBe(counts.frames * frame.length);
  expect(counts.cut).toBe(0);
  await eventually(() => {
    viewer.heartbeatOrDisconnect(0);
    expect(counts.cut).toBe(1);
  });
  await eventually(() => expect(counts).toMatchObject({ open: 0, cut: 1 }));
});
