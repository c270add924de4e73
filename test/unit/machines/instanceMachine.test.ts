import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { leader, ScriptedInstance, server } from './support/scriptedInstance.js';
import { timing } from './support/scriptedPubSubServer.js';

const reached = new Set<string>();
const all = new Set<string>();
const made: ScriptedInstance[] = [];

type Options = NonNullable<ConstructorParameters<typeof ScriptedInstance>[0]>;
type LeadingOptions = Options & { wasActive?: boolean };

function start(options?: Options): ScriptedInstance {
  const instance = new ScriptedInstance(options);
  made.push(instance);
  return instance;
}

/** An instance that leads. What was told until then is forgotten. */
function leading({ wasActive = false, ...options }: LeadingOptions = {}): ScriptedInstance {
  const instance = start(options);
  instance.take({ type: 'leader.gone' });
  instance.take({ type: 'lease.taken', term: 8, wasActive });
  expect(instance.state).toBe('clustered.leading.acting');
  instance.told.length = 0;
  return instance;
}

afterEach(() => {
  for (const { coverage, errors, actor } of made.splice(0)) {
    for (const place of coverage.all) all.add(place);
    for (const place of coverage.reached) reached.add(place);
    expect(errors).toEqual([]);
    actor.stop();
  }
});

// Rooms have tests of their own: roomMachine.test.ts.
afterAll(() => {
  const missed = [...all].filter((place) => !reached.has(place) && !/room|replacement/.test(place));
  expect(missed).toEqual(['instance: xstate.error.actor.* [isRoom] → no other']);
});

describe('without a cluster', () => {
  test('an instance has an activation at once, which silences the servers first', () => {
    const instance = start({ isInCluster: false });
    expect(instance.state).toBe('alone');
    expect(instance.activations).toEqual([{ timing, servers: [server], begins: 'silencing' }]);
    expect(instance.activation?.getSnapshot().value).toBe('inactive');
  });

  test('the activation has the limits of the instance', () => {
    const limits = { maxRooms: 2, maxNamesLength: 100 };
    const { activations } = start({ isInCluster: false, limits });
    expect(activations).toEqual([{ timing, servers: [server], begins: 'silencing', limits }]);
  });

  test('a shutdown ends the activation, and then the instance', () => {
    const instance = start({ isInCluster: false });
    instance.take({ type: 'shutdown.requested' });
    expect(instance.state).toBe('stopped');
    expect(instance.actor.getSnapshot().status).toBe('done');
    expect(instance.context.isShuttingDown).toBe(true);
    expect(instance.told).toEqual(['open', 'role']);
  });
});

describe('an instance that does not lead', () => {
  test('follows first, and has no activation', () => {
    const instance = start();
    expect(instance.state).toBe('clustered.following');
    expect(instance.activation).toBeUndefined();
    expect(instance.told).toEqual(['role']);
  });

  test('notes each leader that is seen', () => {
    const instance = start();
    instance.take({ type: 'leader.seen', leader });
    expect(instance.context.leader).toEqual(leader);
    const next = { ...leader, term: 9 };
    instance.take({ type: 'leader.seen', leader: next });
    expect(instance.context.leader).toEqual(next);
    expect(instance.told).toEqual(Array(3).fill('role'));
  });

  test('campaigns when the leader is gone, and knows of no leader then', () => {
    const instance = start();
    instance.take({ type: 'leader.seen', leader });
    instance.take({ type: 'leader.gone' });
    expect(instance.state).toBe('clustered.campaigning');
    expect(instance.context.leader).toBeUndefined();
    expect(instance.told).toEqual(['role', 'role', 'role', 'campaign.requested']);
  });

  test('follows the winner of the campaign', () => {
    const instance = start();
    instance.take({ type: 'leader.gone' });
    instance.take({ type: 'leader.seen', leader });
    expect(instance.state).toBe('clustered.following');
    expect(instance.context.leader).toEqual(leader);
  });

  test.each(['following', 'campaigning'] as const)(
    'is isolated when Redis is lost while %s, and still knows the leader',
    (state) => {
      const instance = start();
      instance.take({ type: 'leader.seen', leader });
      if (state === 'campaigning') instance.take({ type: 'leader.gone' });
      instance.take({ type: 'redis.lost', cause: 'refused' });
      expect(instance.state).toBe('clustered.isolated');
      expect(instance.context.leader).toEqual(state === 'following' ? leader : undefined);
      expect(instance.context.isRedisLost).toBe(true);
      expect(instance.told.at(-1)).toBe('role');
      const before = instance.told.length;
      instance.take({ type: 'redis.answered' });
      expect(instance.state).toBe('clustered.following');
      expect(instance.context.isRedisLost).toBe(false);
      expect(instance.told.slice(before)).toEqual(['role']);
    },
  );

  test('leaves its isolation with news of the leader', () => {
    const instance = start();
    instance.take({ type: 'redis.lost', cause: 'refused' });
    instance.take({ type: 'leader.seen', leader });
    expect([instance.state, instance.context.leader]).toEqual(['clustered.following', leader]);
    instance.take({ type: 'redis.lost', cause: 'refused' });
    instance.take({ type: 'leader.gone' });
    expect(instance.state).toBe('clustered.campaigning');
  });

  test.each([
    ['following', []],
    ['campaigning', [{ type: 'leader.gone' }]],
    ['isolated', [{ type: 'redis.lost', cause: 'refused' }]],
  ] as const)('is stopped at once by a shutdown while %s', (_, events) => {
    const instance = start();
    for (const event of events) instance.take(event);
    instance.take({ type: 'shutdown.requested' });
    expect(instance.state).toBe('stopped');
    expect(instance.told.slice(-2)).toEqual(['role', 'election ended']);
  });
});

describe('an instance that leads', () => {
  test('tells that it leads', () => {
    const instance = start();
    instance.take({ type: 'leader.gone' });
    instance.told.length = 0;
    instance.take({ type: 'lease.taken', term: 8, wasActive: false });
    expect(instance.told).toEqual(['role', 'open']);
  });

  test('opens a fleet, which silences the servers if the fleet was inactive', () => {
    const instance = leading();
    expect(instance.activations).toEqual([
      { timing, servers: [server], begins: 'silencing', term: 8 },
    ]);
    expect(instance.activation?.getSnapshot().value).toBe('inactive');
  });

  test('takes an active fleet over: its activation lingers, and tells no server to be silent', () => {
    const instance = leading({ wasActive: true });
    expect(instance.activations[0]).toMatchObject({ begins: 'lingering', term: 8 });
    expect(instance.activation?.getSnapshot().value).toEqual({ active: 'lingering' });
    instance.clock.advance(timing.lingerMs - 1);
    expect(instance.activation?.getSnapshot().value).toEqual({ active: 'lingering' });
    instance.clock.advance(10);
    expect(instance.activation?.getSnapshot().value).toBe('inactive');
  });

  test('closes its fleet and follows when it loses the lease', () => {
    const instance = leading();
    const { activation } = instance;
    const children = Object.values(activation?.getSnapshot().children ?? {});
    instance.take({ type: 'lease.lost', cause: 'no renewal' });
    expect(instance.told).toEqual(['close', 'role']);
    expect(activation?.getSnapshot().status).toBe('stopped');
    expect(children.map((child) => child?.getSnapshot().status)).toEqual(['stopped', 'stopped']);
    expect(instance.activation).toBeUndefined();
  });

  test('has another activation in its next term', () => {
    const instance = leading();
    const first = instance.activation;
    instance.take({ type: 'lease.lost', cause: 'no renewal' });
    instance.take({ type: 'leader.gone' });
    instance.take({ type: 'lease.taken', term: 9, wasActive: true });
    expect(instance.activation).not.toBe(first);
    expect(instance.activations.at(-1)).toMatchObject({ term: 9, begins: 'lingering' });
  });

  test('goes on without Redis until it loses the lease, and is isolated then', () => {
    const instance = leading();
    instance.take({ type: 'redis.lost', cause: 'refused' });
    expect([instance.state, instance.told]).toEqual(['clustered.leading.acting', []]);
    instance.take({ type: 'lease.lost', cause: 'no renewal' });
    expect(instance.state).toBe('clustered.isolated');
  });

  test('goes on if Redis answers in time', () => {
    const instance = leading();
    instance.take({ type: 'redis.lost', cause: 'refused' });
    instance.take({ type: 'redis.answered' });
    instance.take({ type: 'lease.lost', cause: 'another took it' });
    expect(instance.state).toBe('clustered.following');
  });

  test('that reaches no server hands over, and does not campaign for a minute', () => {
    const instance = leading();
    instance.take({ type: 'fleet.unreachable' });
    expect(instance.told).toEqual(['hold', 'role']);
    instance.take({ type: 'requests.ended' });
    expect(instance.told.at(-1)).toBe('release.requested 60000');
    instance.take({ type: 'lease.lost', cause: 'released' });
    expect(instance.state).toBe('clustered.following');
    expect(instance.context.isFleetUnreachable).toBe(false);
  });
});

test.each(['in time', 'late'] as const)(
  'a leader that reaches no server lets go of the lease although nobody is there, its requests ending %s',
  (when) => {
    const instance = leading();
    instance.take({ type: 'fleet.unreachable' });
    instance.hasSuccessor = false;
    if (when === 'late') instance.clock.advance(timing.requestTimeoutMs);
    else instance.take({ type: 'requests.ended' });
    expect(instance.state).toBe('clustered.leading.releasing');
  },
);

describe('a leader that shuts down', () => {
  test('waits for its open requests, releases the lease, and takes late posts for a moment', () => {
    const instance = leading({ wasActive: true });
    instance.take({ type: 'shutdown.requested' });
    expect(instance.told).toEqual(['hold', 'role']);
    // Its posts are still counted.
    expect(instance.activation?.getSnapshot().value).toEqual({ active: 'lingering' });
    instance.take({ type: 'requests.ended' });
    expect(instance.told.at(-1)).toBe('release.requested');
    instance.take({ type: 'lease.lost', cause: 'released' });
    expect(instance.told.slice(-2)).toEqual(['close', 'role']);
    instance.take({ type: 'leader.seen', leader });
    expect(instance.context.leader).toEqual(leader);
    expect(instance.told.slice(-3)).toEqual(['close', 'role', 'role']);
    instance.clock.advance(499);
    expect(instance.state).toBe('clustered.leaving');
    instance.clock.advance(1);
    expect(instance.state).toBe('stopped');
  });

  test.each([
    ['as long as a request may take', 3000, 3000],
    ['2 s if requests may take less', 500, 2000],
  ])('waits for them %s, and no longer', (_, requestTimeoutMs, longestMs) => {
    const instance = leading({ requestTimeoutMs });
    instance.take({ type: 'shutdown.requested' });
    instance.clock.advance(longestMs - 1);
    expect(instance.state).toBe('clustered.leading.handingOver');
    instance.clock.advance(1);
    expect(instance.state).toBe('clustered.leading.releasing');
  });

  test.each(['in time', 'late'] as const)(
    'silences the servers if nobody is there to hand over to, its requests ending %s',
    (when) => {
      const instance = leading({ wasActive: true });
      instance.take({ type: 'shutdown.requested' });
      instance.hasSuccessor = false;
      if (when === 'late') instance.clock.advance(timing.requestTimeoutMs);
      else instance.take({ type: 'requests.ended' });
      instance.clock.advance(10);
      expect(instance.told.slice(2)).toEqual(['resume', 'role', 'release.requested']);
      instance.take({ type: 'lease.lost', cause: 'released' });
      instance.clock.advance(500);
      expect(instance.state).toBe('stopped');
    },
  );

  test('while it hands over for another reason does not come back', () => {
    const instance = leading();
    instance.take({ type: 'fleet.unreachable' });
    instance.take({ type: 'shutdown.requested' });
    instance.clock.advance(timing.requestTimeoutMs);
    instance.take({ type: 'lease.lost', cause: 'released' });
    expect(instance.state).toBe('clustered.leaving');
  });
});

test('an actor that throws, and is not a room, ends the instance', () => {
  const instance = leading();
  const error = new Error('a defect');
  instance.actor.send({ type: 'xstate.error.actor.activation', actorId: 'activation', error });
  expect(instance.actor.getSnapshot().status).toBe('error');
  expect(instance.errors.splice(0)).toEqual([error]);
});
