import type { ServerId } from '../../machines/ports.js';
import { hostAndPort } from '../../server/addresses.js';
import { isEvidencePausing, isRecurrencePausing } from './evidence.js';
import { differenceAt, promptMs } from './exactness.js';
import { forgetRoomInCalm } from './forgottenRooms.js';
import { unmute } from './mutedServers.js';
import type { Oracle } from './oracle.js';
import { type Ending, endings, pubSubPort } from './plan.js';
import type { Host } from './pubSubHost.js';
import { frameIntervalMs, type SimulatedService } from './simulatedService.js';
import type { SeenServer } from './watcher.js';
import type { World } from './world.js';

/** Five requests to be silent, and the pauses between them. */
const silencingMs = (timeoutMs: number) => 5 * timeoutMs + 1.25 * (250 + 500 + 1000 + 2000) + 100;
/** A post without a valid token has an effect at most so often, for an address. */
const strangerMs = 10_000;
const discoveryMs = 9500;
const shutdownMs = 7100;
/** How likely a world is to go on after an ending. */
const againChance = 0.3;

/**
 * Ends all faults, lets the promised time pass, and holds every promise against the truth. What is calm
 * may end in another way after that: one that is right has to stay so.
 */
export function judgeEnding(world: World, oracle: Oracle): void {
  calm(world);
  judge[world.plan.ending](world, oracle);
  while (world.extras.chance(againChance)) {
    const ending = world.extras.pick(endings);
    world.note(() => `* and then ${ending}`);
    world.countCheck(`another ending: ${ending}`);
    if (!world.service) world.startService();
    judge[ending](world, oracle);
  }
}

const judge: Readonly<Record<Ending, (world: World, oracle: Oracle) => void>> = {
  watched: judgeWatched,
  silent: judgeSilent,
  stopped: judgeStopped,
};

/** From now on everything works; what was under way arrives. */
function calm(world: World): void {
  const { network, store, hosts, random } = world;
  world.note(() => `* all faults end; ${world.plan.ending}`);
  network.isCalm = true;
  store.isStalled = false;
  store.lies.clear();
  world.defective = undefined;
  world.viewers.drain();
  for (const host of hosts) {
    world.heal(host);
    unmute(world, host);
    if (host.isHung) host.resume();
    if (!host.process && !host.isGone && random.chance(0.7)) host.start();
  }
  if (world.service?.isShuttingDown) world.advance(shutdownMs);
  if (!world.service) world.startService();
  do world.advance(Math.max(1, network.lastDueMs - world.nowMs + 1));
  while (network.lastDueMs > world.nowMs);
}

function theService(world: World): SimulatedService {
  if (!world.service) throw new Error('no service runs');
  return world.service;
}

/** Servers that the service must have found by now. */
function mustKnow(world: World, service: SimulatedService, host: Host): boolean {
  return host.plan.isConfigured || world.plan.hasStore || isShown(service, host);
}

function isShown(service: SimulatedService, host: Host): boolean {
  const standing = service.context.roster.get(host.id)?.standing;
  return standing !== undefined && standing !== 'candidate';
}

/**
 * A poster without a token is one of those known at its address, or else the one at the usual port. A
 * URL that was given out through a proxy is anybody's.
 */
function isKnowable(world: World, service: SimulatedService, host: Host): boolean {
  if (isShown(service, host)) return true;
  const isUsual = hostAndPort(host.id).port === pubSubPort;
  const isAlone = world.hosts.every(
    (other) => other.plan.address !== host.plan.address || !isShown(service, other),
  );
  return isUsual && isAlone && !world.plan.isProxied;
}

const isPosting = ({ process }: Host) => process?.isActive === true && process.posts > 0;

/** Servers that are shown at this moment. */
function knownTo(world: World, service: SimulatedService): Set<Host> {
  return new Set(world.hosts.filter((host) => isShown(service, host)));
}

/** Whether a late message has made it what the service does not know of before it posts. */
function isUnawareOf({ process }: Host): boolean {
  return process?.isAstray === true && process.posts === 0;
}

function makeTraffic(world: World, overMs: number, times: number): void {
  for (let i = 0; i < times; i += 1) {
    for (const host of world.hosts) {
      const room = world.random.pick(world.plan.rooms) ?? '';
      host[world.random.pick(['open', 'open', 'close'] as const)](room);
    }
    world.advance(overMs / times);
  }
}

/** 3 to 6: with somebody looking, all that is shown is true, complete or said not to be. */
function judgeWatched(world: World, oracle: Oracle): void {
  const service = theService(world);
  if (service.watchers.length === 0) world.viewers.admit();
  if (world.further.chance(world.plan.forgetChance > 0 ? 0.7 : 0)) forgetRoomInCalm(world);
  const isAllUp = world.hosts.every(({ isUp }) => isUp);
  const settlingMs = promptMs(world) + (world.plan.hasStore ? discoveryMs : 0);
  makeTraffic(world, Math.max(settlingMs, isAllUp ? 0 : 2 * oracle.overdueMs), 5);
  world.advance(400);
  waitForRecurring(world, service);
  const fault = faultIn(world, service);
  if (fault) world.fail(fault[0], fault[1]);
}

/** Evidence that recurred may have to wait, up to twice as long as it has been recurring. */
function waitForRecurring(world: World, service: SimulatedService): void {
  const isPausing = () =>
    [...service.context.roster].some((member) => isRecurrencePausing(service, member));
  if (!isPausing()) return;
  const deadlineMs = 3 * world.nowMs;
  while (isPausing() && world.nowMs < deadlineMs) world.advance(1000);
  world.advance(promptMs(world));
}

function faultIn(world: World, service: SimulatedService): [string, string] | undefined {
  const { roster } = service.context;
  if (service.state !== 'active') return ['2: one broadcast', `it is ${service.state}`];
  for (const host of world.hosts) {
    const member = roster.get(host.id);
    if (host.isUp && mustKnow(world, service, host)) {
      // Whoever has not posted since is not known to be able to.
      if (member?.status === 'deaf' && host.untoldSinceMs < Number.POSITIVE_INFINITY) continue;
      if (member?.status !== 'live') return ['6: self-healing', `${host.id} is ${member?.status}`];
      const difference = differenceAt(world, service, host);
      if (difference && !host.isMistaken) return ['4: exact', difference];
    } else if (member && member.standing !== 'candidate' && !host.isUp) {
      const { connections } = service.context.tally.sizeOf(host.id);
      if (member.status !== 'unreachable' || connections > 0)
        return ['5: honest', `${host.id} is down, shown ${member.status} with ${connections}`];
    }
  }
  if (!faultShown(world, service)) return undefined;
  // A source may have let a server go just now: that is told with the next frame.
  world.advance(2 * frameIntervalMs);
  return faultShown(world, service);
}

/** What a viewer has put together from its frames is what the service knows, and the sum of the servers. */
function faultShown(world: World, service: SimulatedService): [string, string] | undefined {
  const { roster, tally } = service.context;
  const members = [...roster.shown()];
  const sums = new Map<string, number>();
  for (const { server } of members)
    for (const room of world.plan.rooms) {
      const count = (sums.get(room) ?? 0) + tally.countOn(server, room);
      if (count > 0) sums.set(room, count);
    }
  // With nobody known nothing is.
  const isLive = members.length > 0 && members.every(({ status }) => status === 'live');
  const servers = members.map(({ server, status }): [ServerId, SeenServer] => {
    return [server, { state: status, overLimit: tally.overLimit.has(server) }];
  });
  const about = [isLive && tally.overLimit.size === 0, 'active', sorted(new Map(servers))];
  for (const watcher of service.watchers) {
    world.countCheck(`what a viewer sees (${watcher.kind})`);
    const isOfAll = watcher.kind === 'changes';
    const expected = JSON.stringify([sorted(sums), ...(isOfAll ? about : [])]);
    const seenOfAll = [watcher.isComplete, watcher.state, sorted(watcher.servers)];
    const seen = JSON.stringify([sorted(watcher.rooms), ...(isOfAll ? seenOfAll : [])]);
    if (seen !== expected) return ['5: honest', `a viewer sees ${seen} instead of ${expected}`];
  }
  return undefined;
}

const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** 1: with nobody looking, servers are silent, and those that are not are told. */
function judgeSilent(world: World): void {
  const service = theService(world);
  const { timing } = world.plan;
  while (service.watchers.length > 0) world.viewers.dismiss();
  const known = knownTo(world, service);
  const beganMs = Math.max(service.startedAtMs, service.unwatchedSinceMs);
  world.advance(timing.lingerMs + silencingMs(timing.requestTimeoutMs));
  if (service.state !== 'inactive')
    world.fail('1: silent', `it is ${service.state}, and nobody looks`);
  if (service.context.tally.connections > 0) world.fail('1: silent', 'counts are kept');
  for (const host of world.hosts) {
    if (!host.isUp || isUnawareOf(host) || !known.has(host) || host.undisturbedSinceMs > beganMs)
      continue;
    world.countCheck('silent at the end');
    const status = service.context.roster.get(host.id)?.status;
    if (status !== 'silent') world.fail('1: silent', `${host.id} is ${status}`);
    if (host.process?.isActive) world.fail('1: silent', `${host.id} is active, and nobody looks`);
  }
  makeTraffic(world, Math.max(40_000, promptMs(world) + 3 * strangerMs), 6);
  for (const host of world.hosts)
    if (host.isUp && isKnowable(world, service, host) && isPosting(host))
      world.fail('1: silent', `${host.id} goes on posting`);
  judgeQuiet(world, service);
}

/** 1: nobody is asked anything now but those who are just being told, or whose evidence had to wait. */
function judgeQuiet(world: World, service: SimulatedService): void {
  // What came through a proxy can be anybody's: all are told, and ever later while that goes on.
  if (world.plan.isProxied) return;
  const expected = pausingOf(service);
  for (const { server, status } of service.context.roster)
    if (status === 'silencing') expected.add(server);
  const beganMs = world.nowMs;
  world.advance(10_000);
  for (const [server, sentAtMs] of service.requests.sentAtMs)
    if (sentAtMs > beganMs && !expected.has(server))
      world.fail('1: silent', `${server} is asked, and nobody looks`);
}

function pausingOf(service: SimulatedService): Set<ServerId> {
  const members = [...service.context.roster];
  return new Set(
    members.filter((member) => isEvidencePausing(service, member)).map(({ server }) => server),
  );
}

/** A shutdown ends in time, and leaves nobody posting whom it could reach. */
function judgeStopped(world: World): void {
  const service = theService(world);
  const beganMs = world.nowMs;
  // Who is being set right at this moment is not undisturbed.
  world.advance(1000);
  // It has not confirmed five times; it is silenced when it posts, and not asked again before.
  const isGivenUp = (host: Host) => service.context.roster.get(host.id)?.status === 'unknown';
  const givenUp = new Set(world.hosts.filter(isGivenUp));
  const pausing = pausingOf(service);
  const known = knownTo(world, service);
  world.shutDownService();
  world.advance(shutdownMs);
  if (world.service) world.fail('1: silent', 'a shutdown does not end');
  for (const host of world.hosts) {
    const isToBeTold = host.isUp && known.has(host) && host.undisturbedSinceMs <= beganMs;
    if (!isToBeTold || givenUp.has(host) || pausing.has(host.id) || isUnawareOf(host)) continue;
    world.countCheck('silent after a shutdown');
    if (host.process?.isActive)
      world.fail('1: silent', `${host.id} is left active by a shutdown of ${service.startedAtMs}`);
  }
}
