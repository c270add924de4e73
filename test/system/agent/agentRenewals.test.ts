import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { AnyActorRef } from 'xstate';
import { freePort } from '../../../server/demo/serviceChild.js';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { startForwarder } from '../../support/forwarder.js';
import {
  calm,
  owns,
  serversOf,
  startStaged,
  stopStaged,
  untilServer,
  untilShown,
  watch,
} from '../../support/stage.js';
import { type StartedAgent, startAgent } from './support.js';

/** Rare enough that not every snapshot meets a renewal with the URL before. */
const often = { renewalMs: 200, renewalJitterMs: 50 };

/** Opens a connection to a room. */
function open({ agent, connections }: StartedAgent, room: string): void {
  connections.set(room, (connections.get(room) ?? 0) + 1);
  agent.opened(room);
}

/** A server for one test, with the number of connections that it got: each request has its own. */
async function startCounting() {
  const server = createServer();
  const seen = { connections: 0 };
  server.on('connection', () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, (it) => {
    it.close();
    it.closeAllConnections();
  });
  return { server, seen, id: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The states of the actor of a server. */
function statesOf({ activation: actor }: Service, id: string) {
  const { children } = actor.getSnapshot() as { children: Record<string, AnyActorRef> };
  return children[`server:${id}`]?.getSnapshot().value;
}

test.each([
  ['while somebody watches', true],
  ['while nobody watches', false],
])('a healthy agent renews again and again %s, and gets no request', async (_, isWatched) => {
  const service = await startStaged([], calm);
  const viewer = isWatched ? await watch(service) : undefined;
  const { server, seen, id } = await startCounting();
  const { url, targets } = await startForwarder(service.url);
  const started = await startAgent({ url, server }, often);
  const state = isWatched ? 'live' : 'silent';
  await eventually(async () => expect(await serversOf(service)).toMatchObject([{ id, state }]));
  const isCalm = { request: 'resting', startup: 'idle', evidence: 'none' };
  const renewals = () => targets.filter((target) => target.includes('renewal=true')).length;
  // The start-up query was evidence, and so is a renewal until the first answer. It ends after 2 s: if
  // later renewals were evidence too, there would always be some.
  await eventually(async () => {
    expect(statesOf(service, id)).toMatchObject(isCalm);
    const [before, renewed] = [seen.connections, renewals()];
    await eventually(() => expect(renewals()).toBeGreaterThan(renewed + 10));
    expect(statesOf(service, id)).toMatchObject(isCalm);
    expect(seen.connections).toBe(before);
  });
  open(started, 'r');
  if (viewer) await untilShown(viewer, { r: 1 });
});

test('a service that lost its memory finds its fleet by renewals alone', async () => {
  const port = String(await freePort());
  const first = await startStaged([], { PORT: port });
  const fleet = [
    await startAgent({ url: first.url }, often),
    await startAgent({ url: first.url }, often),
  ];
  await eventually(async () => expect(await serversOf(first)).toHaveLength(2));
  for (const server of fleet) open(server, 'r');
  await stopStaged(first);
  const second = await startStaged([], { PORT: port });
  const viewer = await watch(second);
  await untilShown(viewer, { r: 2 });
  for (const server of fleet) {
    await untilServer(viewer, `127.0.0.1:${server.port}`, 'live');
    open(server, 'r');
  }
  await untilShown(viewer, { r: 4 });
});
