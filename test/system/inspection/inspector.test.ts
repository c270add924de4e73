import { afterEach, expect, test } from '@jest/globals';
import { createBrowserInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { pino } from 'pino';
import { type Actor, assign, createActor, fromCallback, setup } from 'xstate';
import { activationMachine } from '../../../machines/activationMachine.js';
import type { DiscoveryRequest, Epoch, ServerId, ServerRequest } from '../../../machines/ports.js';
import { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import { Inspector } from '../../../server/inspection/inspector.js';
import { eventually } from '../../support/eventually.js';
import { FakeViewer } from '../../support/fakeViewer.js';
import { statesIn } from './support.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** An inspector and its log. */
function startInspector() {
  const logged: string[] = [];
  const inspector = new Inspector(pino({}, { write: (line) => logged.push(line) }));
  ends.push(() => inspector.close());
  return { inspector, logged };
}

const timing = {
  lingerMs: 1000,
  requestTimeoutMs: 1000,
  probeIntervalMs: 60_000,
  resyncIntervalMs: 60_000,
  room: { subscribingMs: 1, checkMs: 1, pollMs: 1 },
};
const serverRequests = fromCallback<ServerRequest, { server: ServerId }>(() => {});
const quietMachine = activationMachine.provide({
  actors: {
    discovery: fromCallback<DiscoveryRequest>(() => {}),
    pubSubServer: pubSubServerMachine.provide({ actors: { serverRequests } }),
  },
  actions: { publish: () => {}, restartFeed: () => {}, reportDefect: () => {} },
});

/** Its timers never fire: there is nothing to stop, and to stop a thousand actors takes long. */
const clock = { setTimeout: () => undefined, clearTimeout: () => {} };

/** The root with so many servers that never answer. */
function startFleet(inspector: Inspector, size: number) {
  const servers = Array.from(
    { length: size },
    (_, i) => `10.0.${i >> 8}.${i & 255}:80` as ServerId,
  );
  const options = { id: 'activation', input: { timing, servers }, clock };
  return {
    actor: createActor(quietMachine, { ...options, inspect: inspector.observe }).start(),
    servers,
  };
}

const messagesOf = ({ frames }: FakeViewer): StatelyInspectionEvent[] =>
  frames
    .flatMap((frame) => frame.split('\n\n'))
    .filter((frame) => frame.startsWith('data: '))
    .map((frame) => JSON.parse(frame.slice('data: '.length)));

/** Posts of one turn of the event loop: so many connections that open on servers. */
function postsOf(servers: readonly ServerId[], count: number) {
  return Array.from({ length: count }, (_, i) => ({
    server: servers[i % servers.length] as ServerId,
    epoch: 1 as Epoch,
    fromStartup: false,
    deltas: [{ room: `room ${i}`, add: 1 }],
  }));
}

test('the kept history stays bounded with 1,000 servers and 10,000 deltas a second', async () => {
  const { inspector, logged } = startInspector();
  const { actor, servers } = startFleet(inspector, 1000);
  const few = new FakeViewer();
  const all = new FakeViewer();
  inspector.add(few.viewer, 'few');
  inspector.add(all.viewer, 'all');
  actor.send({ type: 'viewer.connected' });
  expect(Object.keys(statesIn(messagesOf(few)))).toEqual(
    expect.arrayContaining(['activation', ...servers.map((server) => `server:${server}`)]),
  );
  for (const viewer of [few, all]) viewer.frames.splice(0);
  const posts = postsOf(servers, 100);
  for (let i = 0; i < 100; i += 1) actor.send({ type: 'deltas.received', posts });
  // Each with the event and the state after it; of 100 posts no more than half are spelled out.
  const told = messagesOf(all).filter(
    (message) => 'event' in message && message.event.type === 'deltas.received',
  );
  expect(told).toHaveLength(200);
  expect(Math.max(...all.frames.map((frame) => frame.length))).toBeLessThan(10_000);
  expect(few.frames.join('')).not.toContain('deltas.received');
  expect(inspector.held.frames).toBeLessThanOrEqual(500);

  // Sent events fill it up to its limit.
  const many = servers.map((_, i) => `unknown-${i}:1` as ServerId);
  for (let i = 0; i < 2000; i += 1) actor.send({ type: 'evidence.found', servers: many });
  const { actors, frames, bytes } = inspector.held;
  expect(actors).toBe(2 + 2 * servers.length);
  expect([frames <= 500, bytes <= 512 * 1024]).toEqual([true, true]);
  expect(frames).toBeGreaterThan(100);
  expect(logged).toEqual([]);
});

test('an inspector that falls behind gets every actor again, and nothing is queued for it', () => {
  const { inspector } = startInspector();
  const { actor } = startFleet(inspector, 3);
  const slow = new FakeViewer();
  inspector.add(slow.viewer, 'few');
  slow.frames.splice(0);
  slow.isReading = false;
  for (let i = 0; i < 100; i += 1) actor.send({ type: 'viewer.connected' });
  expect(slow.frames).toEqual([]);
  slow.drain();
  const [whole, ...others] = slow.frames;
  expect(others).toEqual([]);
  expect(whole).toContain('"type":"@xstate.actor"');
  expect(statesIn(messagesOf(slow)).activation).toBe('"activating"');
});

test('a change of state is sent even if its event is not', () => {
  const { inspector } = startInspector();
  const machine = setup({}).createMachine({
    initial: 'a',
    context: { taken: 0 },
    on: {
      'deltas.received': {
        actions: assign({ taken: ({ context }) => context.taken + 1 }),
      },
    },
    states: {
      a: { always: { guard: ({ context }) => context.taken === 2, target: 'b' } },
      b: {},
    },
  });
  const actor = createActor(machine, { id: 'it', inspect: inspector.observe }).start();
  ends.push(() => actor.stop());
  const viewer = new FakeViewer();
  inspector.add(viewer.viewer, 'few');
  actor.send({ type: 'begun' });
  const before = viewer.frames.length;
  actor.send({ type: 'deltas.received' });
  expect(viewer.frames).toHaveLength(before);
  actor.send({ type: 'deltas.received' });
  expect(viewer.frames).toHaveLength(before + 1);
  expect(statesIn(messagesOf(viewer))).toEqual({ it: '"b"' });
});

test('an actor that cannot be shown is logged, and the actor and the inspector go on', () => {
  const { inspector, logged } = startInspector();
  const toJSON = () => {
    throw new Error('a defect');
  };
  const machine = setup({ types: { context: {} as { held: object } } }).createMachine({
    context: () => ({ held: { toJSON } }),
    on: { go: { actions: assign({ held: { toJSON } }) } },
  });
  const actor = createActor(machine, { inspect: inspector.observe }).start();
  startFleet(inspector, 1);
  ends.push(() => actor.stop());
  const viewer = new FakeViewer();
  inspector.add(viewer.viewer, 'few');
  expect(Object.keys(statesIn(messagesOf(viewer)))).toContain('server:10.0.0.0:80');
  actor.send({ type: 'go' });
  expect(actor.getSnapshot().status).toBe('active');
  expect(logged.join()).toContain('a defect');
});

test('messages equal those of the package of the Stately inspector', async () => {
  const { inspector } = startInspector();
  const child = setup({}).createMachine({
    id: 'child',
    initial: 'on',
    states: { on: { on: { off: 'off' } }, off: {} },
  });
  const machine = setup({ actors: { child, nothing: fromCallback(() => {}) } }).createMachine({
    id: 'parent',
    context: { count: 1, tally: { toJSON: () => ({ rooms: 2 }) } },
    invoke: [
      { id: 'child', src: 'child' },
      { id: 'still', src: 'nothing', input: { name: 'x' } },
    ],
    on: { go: { actions: ({ self }) => tell(self) } },
  });
  const tell = (self: { getSnapshot(): { children: object } }) =>
    (self.getSnapshot().children as { child: Actor<typeof child> }).child.send({ type: 'off' });
  const theirs: StatelyInspectionEvent[] = [];
  const window = Object.assign(new EventTarget(), { open: () => null }) as never;
  const stately = createBrowserInspector({ window, send: (message) => theirs.push(message) });
  const both = (event: Parameters<typeof inspector.observe>[0]) => {
    inspector.observe(event);
    stately.inspect.next?.(event);
  };
  const viewer = new FakeViewer();
  inspector.add(viewer.viewer, 'few');
  const actor = createActor(machine, { id: 'root', inspect: both }).start();
  ends.push(() => actor.stop());
  actor.send({ type: 'go' });
  const ours = messagesOf(viewer);
  await eventually(() => expect(theirs).toHaveLength(ours.length));

  const comparable = (message: StatelyInspectionEvent) => {
    const { id, createdAt, ...fields } = JSON.parse(JSON.stringify(message));
    if (fields.definition) fields.definition = JSON.parse(fields.definition);
    // Theirs reads the snapshot much later; ours has it from the time of the event.
    if (message.type === '@xstate.actor') delete fields.snapshot;
    for (const name of ['children', 'historyValue', 'tags']) delete fields.snapshot?.[name];
    return fields;
  };
  expect(ours.map(comparable)).toEqual(theirs.map(comparable));
  expect(ours.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
  );
});
