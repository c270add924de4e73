import { describe, expect, test } from '@jest/globals';
import { createActor, fromCallback } from 'xstate';
import { activationMachine } from '../../../machines/activationMachine.js';
import { instanceMachine } from '../../../machines/instanceMachine.js';
import type {
  DiscoveryRequest,
  RoomChannelStanding,
  RoomDocumentCommand,
  RoomName,
  RoomSourceRequest,
  RoomStanding,
  ServerId,
} from '../../../machines/ports.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import type { RoomEvent } from '../../../machines/roomSetup.js';
import { HeapClock } from './heapClock.js';
import { timing } from './support/scriptedPubSubServer.js';

const room = 'r';
const roomTiming = { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 };
const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];
const state = (bytes = 10) => new Uint8Array(bytes);

/** The machine of one room whose slots do what the test says, and note in order what they are told. */
class ScriptedRoom {
  readonly clock = new HeapClock();
  readonly notes: string[] = [];
  readonly standings: RoomStanding[] = [];
  readonly channels: RoomChannelStanding[] = [];
  /** Whether each round was to be judged by what the channel brought. */
  readonly judged: boolean[] = [];
  readonly roundsAtMs: number[] = [];
  readonly states = new Set<string>();
  /** How often the document was told that a channel begins. */
  channelsBegun = 0;
  /** The room that each invoked actor works for. */
  readonly rooms: RoomName[] = [];
  #say: (event: RoomEvent) => void = () => undefined;
  readonly #actor;

  constructor() {
    const note = (text: string) => this.notes.push(text);
    const machine = roomMachine.provide({
      actors: {
        roomChannel: fromCallback(({ input, sendBack }) => {
          this.rooms.push(input.room);
          note(`subscribe ${input.room}`);
          this.#say = sendBack;
        }),
        roomSources: fromCallback<RoomSourceRequest, { room: RoomName }>(({ input, receive }) => {
          this.rooms.push(input.room);
          receive((request) => {
            if (request.type === 'location.requested') {
              note('locate');
              this.roundsAtMs.push(this.clock.nowMs);
            } else note(`collect ${request.servers.join(' ')}`);
          });
        }),
        roomDocument: fromCallback<RoomDocumentCommand, { room: RoomName }>(
          ({ input, receive }) => {
            this.rooms.push(input.room);
            receive((command) => {
              if (command.type === 'round.ended') this.judged.push(command.isJudged);
              if (command.type === 'channel.begun') {
                this.channelsBegun += 1;
                return;
              }
              note(command.type === 'state.merged' ? `merge ${command.server}` : command.type);
            });
          },
        ),
      },
      actions: {
        publishStanding: (_, { standing }) => {
          this.standings.push(standing);
          note(standing);
        },
        publishChannel: (_, { channel }) => void this.channels.push(channel),
      },
    });
    this.#actor = createActor(machine, {
      clock: this.clock,
      input: { room, timing: roomTiming },
    });
    this.#actor.subscribe(({ value }) => {
      for (const [region, at] of Object.entries(value))
        this.states.add(`${region} ${typeof at === 'string' ? at : Object.entries(at).flat()}`);
    });
    this.#actor.start();
  }

  say(...events: (RoomEvent | RoomEvent['type'])[]): void {
    for (const event of events)
      this.#say((typeof event === 'string' ? { type: event } : event) as RoomEvent);
  }

  /** Ends the round that is under way; the states can be read unless told. */
  answer(
    servers: readonly ServerId[],
    {
      bytes,
      failures = 0,
      unreadable = 0,
    }: { bytes?: number; failures?: number; unreadable?: number } = {},
  ): void {
    this.say({ type: 'servers.located', servers: [one, two] });
    for (const server of servers) this.say({ type: 'state.received', server, state: state(bytes) });
    this.complete(servers.length, { failures, unreadable });
  }

  complete(holders: number, { failures = 0, unreadable = 0 } = {}): void {
    this.say({ type: 'states.completed', holders, failures });
    this.say({ type: 'round.merged', read: holders - unreadable, unreadable });
  }

  nowhere(): void {
    this.say({ type: 'servers.located', servers: [] });
    this.say({ type: 'round.merged', read: 0, unreadable: 0 });
  }

  take(): string[] {
    return this.notes.splice(0);
  }

  get standing() {
    return this.standings.at(-1);
  }

  get rounds() {
    return this.roundsAtMs.length;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }
}

/** One that is live, its round over and its pause too. */
function liveRoom(bytes?: number): ScriptedRoom {
  const world = new ScriptedRoom();
  world.say('channel.subscribed');
  world.answer([one], bytes === undefined ? {} : { bytes });
  world.advance(300);
  world.take();
  return world;
}

test('it subscribes first, then locates, collects, merges, and is live', () => {
  const world = new ScriptedRoom();
  expect(world.take()).toEqual(['subscribe r', 'locating']);
  expect(world.rooms).toEqual([room, room, room]);
  world.advance(1000);
  expect(world.take()).toEqual([]);
  world.say('channel.subscribed');
  expect(world.take()).toEqual(['locate']);
  world.say({ type: 'servers.located', servers: [one, two] });
  expect(world.take()).toEqual(['merging', `collect ${one} ${two}`]);
  world.say({ type: 'state.received', server: one, state: state() });
  world.say({ type: 'update.received', update: state() });
  world.say({ type: 'state.received', server: two, state: state() });
  world.say({ type: 'states.completed', holders: 2, failures: 0 });
  expect(world.take()).toEqual([`merge ${one}`, 'update.applied', `merge ${two}`, 'round.ended']);
  world.say({ type: 'round.merged', read: 2, unreadable: 0 });
  expect(world.take()).toEqual(['live']);
});

test('a live room is checked at intervals', () => {
  const world = liveRoom();
  world.advance(4600);
  expect(world.rounds).toBe(1);
  world.advance(200);
  expect(world.rounds).toBe(2);
  world.answer([one, two]);
  expect(world.standing).toBe('live');
});

test('without a channel it polls, and reports that', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.answer([one]);
  expect(world.standing).toBe('polling');
  for (let round = 2; round < 5; round += 1) {
    world.advance(1000);
    expect(world.rounds).toBe(round);
    world.answer([one]);
  }
  expect(world.standings.at(-1)).toBe('polling');
});

test('a slow channel delays nothing, and is used when it comes', () => {
  const world = new ScriptedRoom();
  world.advance(2999);
  expect(world.rounds).toBe(0);
  world.advance(1);
  expect(world.rounds).toBe(1);
  world.answer([one]);
  expect(world.standing).toBe('polling');
  world.say('channel.subscribed');
  world.advance(250);
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('the bigger the states, the rarer the rounds', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.answer([one, two], { bytes: 4_000_000 });
  world.advance(7999);
  expect(world.rounds).toBe(1);
  world.advance(1);
  expect(world.rounds).toBe(2);
});

test('however big the states, the pause is never longer than a timer can wait', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.say({ type: 'servers.located', servers: [one] });
  // More than there is memory for: as many servers as can be known may hold it in the end.
  const huge = { length: 2 ** 31 * 1000 } as Uint8Array;
  world.say({ type: 'state.received', server: one, state: huge });
  world.complete(1);
  world.advance(10 * 60_000 - 1);
  expect(world.rounds).toBe(1);
  world.advance(1);
  expect(world.rounds).toBe(2);
});

test('a lost channel means polling, and a subscribed one a round before it is live again', () => {
  const world = liveRoom();
  world.say('channel.lost');
  expect(world.take()).toEqual(['polling', 'locate']);
  world.answer([one]);
  expect(world.standing).toBe('polling');
  world.say('channel.subscribed');
  world.advance(250);
  expect(world.standing).toBe('polling');
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('a round that began before the channel was there does not make it live', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.say({ type: 'servers.located', servers: [one] });
  world.say('channel.subscribed');
  world.complete(1);
  expect(world.standing).toBe('polling');
  world.advance(250);
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('a channel that says again that it is subscribed costs a round, and the room stays live', () => {
  const world = liveRoom();
  world.say('channel.subscribed');
  expect(world.take()).toEqual(['locate']);
  world.answer([one, two]);
  expect([world.standing, world.standings.includes('polling')]).toEqual(['live', false]);
  // States are compared from the second round after it on, as after the first time.
  expect([world.channelsBegun, world.judged.at(-1)]).toEqual([2, false]);
});

test('a channel that is lost and then missing is used again when it is back', () => {
  const world = liveRoom();
  world.say('channel.lost', 'channel.missing');
  expect([world.standing, world.channels.at(-1)]).toEqual(['polling', 'none']);
  world.answer([one]);
  world.advance(1000);
  world.answer([one]);
  expect(world.standing).toBe('polling');
  world.say('channel.subscribed');
  world.advance(250);
  world.answer([one]);
  expect([world.standing, world.channels.at(-1)]).toEqual(['live', 'subscribed']);
});

test('a room that no server holds waits for an update or the next round', () => {
  const world = new ScriptedRoom();
  world.say('channel.subscribed');
  world.answer([]);
  expect(world.standing).toBe('waiting');
  world.advance(1999);
  expect(world.rounds).toBe(1);
  world.advance(1);
  world.nowhere();
  expect(world.rounds).toBe(2);
  expect(world.standing).toBe('waiting');
  world.advance(300);
  world.say({ type: 'update.received', update: state() });
  expect(world.rounds).toBe(3);
  world.answer([two]);
  expect(world.standing).toBe('live');
});

test('with no server at all it waits, and the document hears that the round is over', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.take();
  world.nowhere();
  expect(world.take()).toEqual(['waiting', 'round.ended', 'waiting']);
  world.advance(2000);
  world.answer([one]);
  expect(world.standing).toBe('polling');
});

test('a room that no server holds any longer is gone until an update or a server brings it back', () => {
  const world = liveRoom();
  world.advance(5000);
  world.answer([]);
  expect(world.standing).toBe('gone');
  world.advance(2000);
  world.nowhere();
  world.advance(2000);
  world.answer([]);
  expect(world.standing).toBe('gone');
  world.advance(300);
  world.say({ type: 'update.received', update: state() });
  world.answer([one]);
  expect(world.standing).toBe('live');
  world.say('channel.lost');
  world.advance(300);
  world.nowhere();
  expect(world.standing).toBe('gone');
  world.advance(2000);
  world.answer([one]);
  expect(world.standing).toBe('polling');
});

test('a room that is nowhere is gone at once, before its round is over', () => {
  const world = liveRoom();
  world.advance(5000);
  world.say({ type: 'servers.located', servers: [] });
  expect(world.standing).toBe('gone');
});

test('a known room stays known while one of its servers can be read', () => {
  const world = new ScriptedRoom();
  world.say('channel.missing');
  world.answer([one]);
  expect(world.standing).toBe('polling');
  world.advance(1000);
  world.answer([one, two], { unreadable: 1 });
  expect([world.standing, world.rounds]).toEqual(['polling', 2]);
});

test.each([
  ['gone', 'polling', [], 0],
  ['unreadable', 'polling', [one], 1],
  ['unreadable', 'waiting', [one], 1],
  ['waiting', 'waiting', [], 0],
] as const)(
  'a room that is %s after it was %s is looked for again and again',
  (now, before, servers, unreadable) => {
    const world = new ScriptedRoom();
    world.say('channel.missing');
    world.answer(before === 'polling' ? [one] : []);
    expect(world.standing).toBe(before);
    world.advance(2000);
    for (let round = 2; round < 5; round += 1) {
      expect(world.rounds).toBe(round);
      world.answer(servers, { unreadable });
      expect(world.standing).toBe(now);
      world.advance(2000);
    }
  },
);

test('an update of a room that is gone is reason enough to look for it', () => {
  const world = liveRoom();
  world.advance(5000);
  world.answer([]);
  world.advance(300);
  world.say({ type: 'update.received', update: state() });
  expect([world.standing, world.rounds]).toEqual(['gone', 3]);
});

test('a room is not gone while a server does not say whether it holds it', () => {
  const world = liveRoom();
  world.advance(5000);
  world.answer([], { failures: 1 });
  expect(world.standing).toBe('polling');
  world.advance(1000);
  world.answer([]);
  expect(world.standing).toBe('gone');
});

test('refused updates cause at most one more round every 250 ms', () => {
  const world = liveRoom();
  for (let i = 0; i < 100; i += 1) {
    world.say('update.refused');
    world.answer([one]);
    world.advance(20);
  }
  const gaps = world.roundsAtMs.slice(1).map((at, i) => at - (world.roundsAtMs[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  expect(world.rounds).toBeGreaterThan(5);
  world.advance(300);
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('a lost document is merged again, from any state', () => {
  const world = liveRoom();
  world.say('document.lost');
  expect(world.take()).toEqual(['locating', 'locate']);
  world.say({ type: 'servers.located', servers: [one] });
  expect(world.standing).toBe('merging');
  world.say('document.lost');
  expect(world.standing).toBe('locating');
  world.complete(1);
  expect(world.standing).toBe('locating');
  world.advance(250);
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('a round ends only when the document has reported what could be read', () => {
  const world = new ScriptedRoom();
  world.say('channel.subscribed');
  world.say({ type: 'servers.located', servers: [one] });
  world.say({ type: 'states.completed', holders: 1, failures: 0 }, 'update.refused');
  world.advance(10_000);
  expect([world.rounds, world.standing]).toEqual([1, 'merging']);
  world.say({ type: 'round.merged', read: 1, unreadable: 0 });
  world.advance(250);
  expect([world.rounds, world.standing]).toEqual([2, 'polling']);
  world.answer([one]);
  expect(world.standing).toBe('live');
});

test('a room without a readable state is unreadable, never live, and requested again', () => {
  const world = new ScriptedRoom();
  world.say('channel.subscribed');
  world.answer([one, two], { unreadable: 2 });
  expect(world.standings).toEqual(['locating', 'merging', 'unreadable']);
  world.advance(2000);
  expect(world.rounds).toBe(2);
  world.answer([], { failures: 1 });
  expect(world.standing).toBe('unreadable');
  world.advance(2000);
  world.answer([one, two], { unreadable: 1 });
  expect(world.standing).toBe('live');
  world.advance(5000);
  world.answer([one], { unreadable: 1 });
  expect(world.standing).toBe('unreadable');
  world.advance(300);
  world.say({ type: 'update.received', update: state() });
  world.answer([]);
  expect(world.standing).toBe('gone');
  world.advance(2000);
  world.answer([one], { unreadable: 1 });
  expect(world.standing).toBe('unreadable');
  world.say('channel.lost');
  world.advance(250);
  world.answer([one]);
  expect(world.standing).toBe('polling');
});

describe('what rounds find but the channel does not bring', () => {
  test('is judged from the second round on that began after it was subscribed', () => {
    const world = new ScriptedRoom();
    world.advance(3000);
    world.say({ type: 'servers.located', servers: [one] }, 'channel.subscribed');
    world.say({ type: 'states.completed', holders: 1, failures: 0 });
    world.say({ type: 'round.merged', read: 1, unreadable: 0 });
    for (let round = 0; round < 3; round += 1) {
      world.advance(5000);
      world.answer([one]);
    }
    expect(world.judged).toEqual([false, false, true, true]);
    world.say('channel.lost', 'channel.subscribed');
    expect(world.channelsBegun).toBe(2);
    world.advance(300);
    world.answer([one]);
    expect(world.judged.at(-1)).toBe(false);
  });

  test('is not judged by the first rounds of a new document', () => {
    const world = liveRoom();
    for (let round = 0; round < 2; round += 1) {
      world.advance(5000);
      world.answer([one]);
    }
    expect(world.judged).toEqual([false, true, true]);
    world.say('document.lost');
    world.advance(300);
    world.answer([one]);
    expect(world.judged.at(-1)).toBe(false);
  });

  test('ends live a moment later, and the room is polled', () => {
    const world = liveRoom();
    world.say('changes.undelivered');
    world.advance(1499);
    expect([world.standing, world.channels.at(-1)]).toEqual(['live', 'subscribed']);
    world.advance(1);
    expect([world.standing, world.channels.at(-1)]).toEqual(['polling', 'silent']);
    for (let round = 2; round < 5; round += 1) {
      world.advance(1000);
      expect(world.rounds).toBe(round);
      world.answer([one]);
      expect(world.standing).toBe('polling');
    }
  });

  test('is known to work from its first news on', () => {
    const world = liveRoom();
    world.say('changes.delivered');
    expect(world.channels.at(-1)).toBe('followed');
  });

  test('is forgiven if it comes in that moment', () => {
    const world = liveRoom();
    world.say('changes.undelivered');
    world.advance(1000);
    world.say('changes.delivered');
    world.advance(3000);
    expect([world.standing, world.channels.at(-1)]).toEqual(['live', 'followed']);
    expect(world.standings).not.toContain('polling');
  });

  test('ends when the channel brings news again and another round has ended', () => {
    const world = liveRoom();
    world.say('changes.undelivered');
    world.advance(1500);
    world.advance(1000);
    world.answer([one]);
    world.say('changes.delivered');
    expect([world.standing, world.channels.at(-1)]).toEqual(['polling', 'followed']);
    world.advance(250);
    expect(world.rounds).toBe(3);
    world.answer([one]);
    expect(world.standing).toBe('live');
    world.say('changes.undelivered');
    world.advance(1500);
    expect(world.standing).toBe('polling');
  });

  test('does not count against a channel that is subscribed again', () => {
    const world = liveRoom();
    world.say('changes.undelivered');
    world.advance(1500);
    world.say('channel.lost', 'channel.subscribed');
    world.answer([one]);
    world.advance(300);
    world.answer([one]);
    expect([world.standing, world.channels.at(-1)]).toEqual(['live', 'subscribed']);
  });
});

test('a channel is connecting until something is known of it', () => {
  const world = new ScriptedRoom();
  expect(world.channels).toEqual(['connecting']);
  world.advance(3000);
  world.answer([one]);
  expect(world.channels).toEqual(['connecting']);
  world.say('channel.subscribed', 'channel.lost');
  expect(world.channels).toEqual(['connecting', 'subscribed', 'lost']);
  const without = new ScriptedRoom();
  without.say('channel.missing');
  expect(without.channels).toEqual(['connecting', 'none']);
});

test('every state of the chart was reached by what these tests do', () => {
  const world = liveRoom();
  const found = new Set(world.states);
  const more = new ScriptedRoom();
  more.say('channel.missing');
  more.answer([]);
  more.advance(2000);
  more.answer([one]);
  more.say('channel.subscribed', 'channel.lost');
  more.advance(1000);
  more.answer([]);
  more.advance(2000);
  more.answer([one], { unreadable: 1 });
  more.say('channel.subscribed', 'changes.undelivered', 'changes.delivered', 'changes.undelivered');
  more.advance(1500);
  for (const each of more.states) found.add(each);
  expect([...found].sort()).toEqual([
    'channel lost',
    'channel missing',
    'channel subscribed,doubted',
    'channel subscribed,followed',
    'channel subscribed,silent',
    'channel subscribed,unproven',
    'channel subscribing',
    'round collecting',
    'round locating',
    'round merging',
    'round pausing',
    'round resting',
    'standing gone',
    'standing known,live',
    'standing known,polling',
    'standing locating',
    'standing merging',
    'standing unreadable',
    'standing waiting',
  ]);
});

/** The root with rooms whose actors only live and die. */
function startRoot(isFaulty: () => boolean = () => false, change: Partial<typeof timing> = {}) {
  const clock = new HeapClock();
  const living: string[] = [];
  const born: string[] = [];
  const errors: unknown[] = [];
  const defects: unknown[] = [];
  const idle = fromCallback<never, { room: RoomName }>(() => undefined);
  const roomDocument = fromCallback<RoomDocumentCommand, { room: RoomName }>(({ input }) => {
    if (isFaulty()) throw new Error('a defect');
    living.push(input.room);
    born.push(input.room);
    return () => void living.splice(living.indexOf(input.room), 1);
  });
  const slots = { roomChannel: idle, roomSources: idle, roomDocument } as const;
  const watched = roomMachine.provide({
    actors: slots as never,
    actions: { publishStanding: () => undefined, publishChannel: () => undefined },
  });
  const nothing = () => undefined;
  const discovery = fromCallback<DiscoveryRequest>(nothing);
  const activation = activationMachine.provide({
    actors: { discovery },
    actions: { publish: nothing, restartFeed: nothing, reportDefect: nothing },
  });
  const machine = instanceMachine.provide({
    actors: { activation, room: watched },
    actions: { publishRole: nothing, reportDefect: ({ event }) => void defects.push(event) },
  });
  const actor = createActor(machine, {
    clock,
    input: { timing: { ...timing, ...change }, servers: [], isInCluster: false },
  });
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  const send = (type: 'room.watched' | 'room.unwatched', name: RoomName = room) =>
    actor.send({ type, room: name });
  return { clock, living, born, errors, defects, send, actor };
}

test('a room watched twice has one actor, which stops one linger time after its last viewer', () => {
  const { clock, living, born, send } = startRoot();
  send('room.watched');
  send('room.watched');
  send('room.watched', 'another');
  expect(living).toEqual([room, 'another']);
  send('room.unwatched');
  clock.advance(timing.lingerMs * 2);
  expect(living).toEqual([room, 'another']);
  send('room.unwatched');
  clock.advance(timing.lingerMs - 1);
  expect(living).toEqual([room, 'another']);
  clock.advance(1);
  expect(living).toEqual(['another']);
  send('room.watched');
  expect(born).toEqual([room, 'another', room]);
});

test('a room watched again within the linger keeps its actor', () => {
  const { clock, living, born, send } = startRoot();
  send('room.watched', '__proto__');
  for (let i = 0; i < 3; i += 1) {
    send('room.unwatched', '__proto__');
    clock.advance(timing.lingerMs - 1);
    send('room.watched', '__proto__');
  }
  clock.advance(timing.lingerMs * 2);
  expect([living, born]).toEqual([['__proto__'], ['__proto__']]);
});

test('a room that is not watched is not affected by a viewer that leaves', () => {
  const { clock, born, errors, send, actor } = startRoot();
  send('room.unwatched');
  clock.advance(timing.lingerMs * 2);
  expect([born, errors]).toEqual([[], []]);
  expect(actor.getSnapshot().status).toBe('active');
});

test('a room that expired is not replaced for an earlier failure once it is watched again', () => {
  let isFaulty = true;
  const { clock, living, born, send } = startRoot(() => isFaulty, { lingerMs: 100 });
  send('room.watched');
  send('room.unwatched');
  clock.advance(500);
  isFaulty = false;
  send('room.watched');
  clock.advance(5000);
  expect([living, born]).toEqual([[room], [room]]);
});

test('the inspector shows the number of rooms', () => {
  const { send, actor } = startRoot();
  send('room.watched');
  send('room.watched', 'another');
  expect(JSON.stringify(actor.getSnapshot().context.rooms)).toBe('{"rooms":2}');
});

test('a room whose actor failed gets another, with the viewers that it had', () => {
  let isFaulty = true;
  const { clock, living, send, actor } = startRoot(() => isFaulty);
  send('room.watched');
  send('room.watched');
  expect(living).toEqual([]);
  isFaulty = false;
  clock.advance(1000);
  expect(living).toEqual([room]);
  send('room.unwatched');
  clock.advance(timing.lingerMs * 2);
  expect(living).toEqual([room]);
  send('room.unwatched');
  clock.advance(timing.lingerMs);
  expect(living).toEqual([]);
  expect(actor.getSnapshot().status).toBe('active');
});

test('a watched room whose actor always throws is replaced once a second while somebody watches', () => {
  const { clock, defects, errors, send, actor } = startRoot(() => true);
  // It is named like a server, which must not be taken for one.
  const name = '10.0.0.1:8001';
  send('room.watched', name);
  send('room.watched', name);
  clock.advance(10_500);
  expect(defects).toHaveLength(11);
  const { rooms } = actor.getSnapshot().context;
  expect(rooms.get(name)?.viewers).toBe(2);
  send('room.unwatched', name);
  send('room.unwatched', name);
  clock.advance(60_000);
  expect(rooms.get(name)).toBeUndefined();
  expect(defects.length).toBeLessThan(20);
  expect(errors).toEqual([]);
});
