import { expect, test } from '@jest/globals';
import type { ElectionEvent } from '../../../machines/ports.js';
import { Random } from '../../worlds/random.js';
import { beatMs, ClusterWorld, leaseMs, type TestInstance } from './clusterWorld.js';

const worlds = 100;
const faultyMs = 40_000;
/** A lease that expires, seen by the last beat before; and the takings that others win. */
const calmMs = 3 * leaseMs + 5 * beatMs;

type Fault = (world: ClusterWorld, instance: TestInstance, random: Random) => void;

/** Faults of one instance, of its way to Redis, of Redis and of the clocks. */
const faults: Record<string, Fault> = {
  'it is cut off': (_, instance) => {
    instance.isCutOff = true;
  },
  'it is connected again': (_, instance) => {
    instance.isCutOff = false;
    instance.isDeaf = false;
  },
  'answers are lost': (_, instance) => {
    instance.isDeaf = true;
  },
  'it stands still': (_, instance) => instance.pause(),
  'it goes on': (_, instance) => instance.resume(),
  'its wall clock is set': (_, { clock }, random) => {
    clock.wallOffsetMs += random.between(-5000, 5000);
  },
  'it begins or ceases to reach servers': (_, instance, random) => {
    instance.info = { ...instance.info, reachesServers: random.pick([true, false, null]) };
  },
  'its servers post': ({ redis }, { lease }) => lease.setActive(!redis.lease?.isActive),
  'it gives the lease back': (_, { lease }) => void (lease.current().isHeld && lease.release()),
  'it dies, and another one starts': (world, instance) => {
    instance.lease.close();
    instance.isCutOff = true;
    world.instances.splice(world.instances.indexOf(instance), 1);
    world.start(`${instance.info.id}'`);
  },
  'Redis loses its keys': ({ redis }) => redis.loseKeys(),
  'Redis evicts the lease': ({ redis }) => redis.evict('lease'),
  'Redis evicts the instances': ({ redis }) => redis.evict('instances'),
  'the clock of Redis is set': ({ redis }, _, random) => {
    redis.timeOffsetMs += random.between(-3_600_000, 3_600_000);
  },
  'a replica of Redis takes over': (world) => {
    world.redis.loseTail();
    world.mayDisagreeUntilMs = world.time.monotonicMs() + (leaseMs * 2) / 3 + 100;
  },
  'a replica of Redis catches up': ({ redis }) => redis.replicate(),
  'Redis goes': ({ redis }) => {
    redis.isDown = true;
  },
  'Redis returns': ({ redis }) => {
    redis.isDown = false;
  },
};

/** The terms that an instance was told of, in order. */
const termsOf = (events: readonly ElectionEvent[]): number[] =>
  events.flatMap((event) =>
    event.type === 'lease.taken'
      ? event.term
      : event.type === 'leader.seen'
        ? event.leader.term
        : [],
  );

function run(seed: number, say: (line: string) => void = () => {}): void {
  const random = new Random(seed);
  const world = new ClusterWorld();
  for (const id of ['a', 'b', 'c']) world.start(id);
  const check = (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      world.advance(10);
      for (const { info, events } of world.instances) {
        const [last, previous] = termsOf(events.slice(-4)).reverse();
        if (last && previous && last < previous) throw new Error(`${info.id}: terms go back`);
      }
    }
  };
  const names = Object.keys(faults);
  while (world.time.monotonicMs() < faultyMs) {
    check(random.between(1, 150) * 10);
    const [name, instance] = [random.pick(names), random.pick(world.instances)];
    if (!name || !instance) throw new Error('nothing to choose from');
    say(`${world.time.monotonicMs()} ${instance.info.id}: ${name}`);
    faults[name]?.(world, instance, random);
  }
  world.redis.isDown = false;
  for (const instance of world.instances) {
    instance.isCutOff = false;
    instance.isDeaf = false;
    instance.resume();
  }
  check(calmMs);
  const leaders = world.instances.filter(({ lease }) => lease.isHeldNow());
  if (leaders.length !== 1) throw new Error(`${leaders.length} lead at the end`);
  const { leader } = leaders[0]?.lease ?? {};
  for (const { lease, info } of world.instances)
    if (lease.leader?.term !== leader?.term) throw new Error(`${info.id} knows another leader`);
}

test('under faults there is one voice at a time, terms grow, and at the end one instance leads', () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= worlds; seed += 1) {
    const trace: string[] = [];
    try {
      run(seed, (line) => trace.push(line));
    } catch (error) {
      broken.push(`world ${seed}: ${(error as Error).message}\n${trace.slice(-20).join('\n')}`);
    }
  }
  expect(broken.slice(0, 2)).toEqual([]);
});
