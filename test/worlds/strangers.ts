import { inboxMs } from './network.js';
import { pubSubPort } from './plan.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

interface Counted {
  readonly base: number;
  readonly size: string;
}

/** What is counted of each server that is counted at all, and the snapshot that it rests on. */
function countedBy({ context: { roster, tally } }: SimulatedService): Map<string, Counted> {
  const counted = new Map<string, Counted>();
  for (const { server } of roster) {
    const base = tally.baseOf(server);
    if (base !== undefined)
      counted.set(server, { base, size: JSON.stringify(tally.sizeOf(server)) });
  }
  return counted;
}

/**
 * Whatever somebody sends who has no token, or one that proves nothing, no number changes by it: not at
 * once, and not by the inbox.
 */
export function aroundStranger(
  world: World,
  service: SimulatedService,
  what: string,
  send: () => void,
): void {
  const before = countedBy(service);
  // The actor of a server may meet its defect by a request that this brings about.
  const isSound = world.defective === undefined;
  const isQuiet = service.lastTakenAtMs <= world.nowMs - inboxMs;
  send();
  const { taken } = service;
  if (!isSound) return;
  if (JSON.stringify([...countedBy(service)]) !== JSON.stringify([...before]))
    world.fail('7: unbreakable', `${what} changes a number`);
  // What others posted just before, or meanwhile, does change numbers.
  if (!isQuiet) return;
  world.later(inboxMs, () => {
    if (service.isStopped || service.taken !== taken) return;
    world.countCheck('after a stranger');
    for (const [server, { base, size }] of countedBy(service)) {
      const was = before.get(server);
      if (was !== undefined && was.base === base && was.size !== size)
        world.fail('7: unbreakable', `${what} changes ${server} from ${was.size} to ${size}`);
    }
  });
}

/** Anybody, at the address of a server or not, posts what this run never made. */
export function strangerPosts(world: World): void {
  const { service, random } = world;
  const host = random.pick(world.hosts);
  const address = random.pick([
    host?.plan.address ?? '',
    '10.0.0.77',
    '192.0.2.1',
    '169.254.169.254',
  ]);
  const token = random.pick(['', 'WyIxMC4wLjAuMSIsMSwwXQ.AAAAAAAAAAAAAAAAAAAAAA', '__proto__']);
  const body = '{"room":"notes","add":1000}';
  if (!service) return;
  const post = () => void service.takePost(address, service.urlOf(token), body);
  aroundStranger(world, service, `a post without a token from ${address}`, post);
}

/** So many strangers that not all of them can be remembered. */
const crowd = { chance: 0.002, size: 1100 };

/** Anybody asks what only a starting server asks. */
export function strangerAsks(world: World): void {
  const { random, service, aside } = world;
  if (aside.chance(crowd.chance)) crowdAsks(world);
  const host = random.pick(world.hosts);
  const address = random.pick([host?.plan.address ?? '', '10.0.0.78', '192.0.2.1']);
  const port = random.pick([undefined, 8001, 8002, 9999]);
  const asker = { address, isForwarded: random.chance(0.2), ...(port !== undefined && { port }) };
  if (!service) return;
  const ask = () => service.answerStartup(asker, () => {});
  aroundStranger(world, service, `a start-up query from ${address}`, ask);
}

function crowdAsks(world: World): void {
  world.countFault('crowd asks');
  world.note(() => `${crowd.size} strangers ask`);
  for (let i = 0; i < crowd.size; i += 1) {
    const asker = { address: `10.0.${1 + Math.floor(i / 250)}.${i % 250}`, isForwarded: false };
    world.service?.answerStartup({ ...asker, port: pubSubPort }, () => {});
  }
}
