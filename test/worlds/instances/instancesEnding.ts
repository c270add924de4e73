import type { InstancesWorld } from './instancesWorld.js';

/** All faults end, the promised time passes, and every promise must be kept. */
export function judgeInstancesEnding(world: InstancesWorld): void {
  world.calm();
  endWatched(world);
  if (world.random.chance(0.3)) {
    replaceAll(world);
    endWatched(world);
  }
  if (world.plan.ending === 'silent') endSilent(world);
  if (world.plan.ending === 'stopped') endStopped(world);
}

/** Enough for a start, for a viewer to reach another instance, and for a leader to return. */
const settleMs = 15_000;

/** How long evidence, retries and resyncs may take with servers that have faults of their own. */
function promisedMs({ plan: { isRough, timing } }: InstancesWorld): number {
  if (!isRough) return settleMs;
  return settleMs + 15_000 + timing.resyncIntervalMs + 3 * timing.requestTimeoutMs;
}

function endWatched(world: InstancesWorld): void {
  if (world.people.present.length === 0) world.people.come();
  world.advance(promisedMs(world));
  world.countCheck('an ending: watched');
  const wrong = world.oracle.wrongNow();
  if (wrong) world.fail('3: right at the end', wrong);
}

/** One by one, and the next when the one before is ready. */
function replaceAll(world: InstancesWorld): void {
  world.countCheck('a rolling replacement at the end');
  for (const site of world.sites) {
    const { process } = site;
    site.shutDown();
    for (let i = 0; i < 200 && site.process === process; i += 1) world.advance(100);
    if (site.process === process && process) world.fail('5: rolling', `${site.name} does not end`);
    site.start();
    for (let i = 0; i < 200 && !site.isHealthy; i += 1) world.advance(100);
    if (!site.isHealthy) world.fail('5: rolling', `${site.name} does not become ready`);
  }
}

function endSilent(world: InstancesWorld): void {
  world.note(() => 'everybody leaves');
  for (const person of [...world.people.present]) world.people.leave(person);
  const { lingerMs, requestTimeoutMs, resyncIntervalMs } = world.plan.timing;
  const lateMs = world.plan.isRough ? Math.min(resyncIntervalMs, 30_000) : 0;
  world.advance(lingerMs + 3 * requestTimeoutMs + settleMs + lateMs);
  world.countCheck('an ending: silent');
  checkSilent(world);
  const before = world.oracle.bodies;
  world.advance(60_000);
  if (world.oracle.bodies > before) world.fail('2: silent', 'a server is asked, and nobody looks');
}

/** The last one silences all. */
function endStopped(world: InstancesWorld): void {
  // All at once, as `docker compose down` does it, or one after the other.
  const pauseMs = world.random.pick([0, 100, 12_000]);
  for (const site of world.sites) {
    site.shutDown();
    world.advance(pauseMs);
  }
  world.advance(20_000);
  world.countCheck('an ending: stopped');
  for (const { name, process } of world.sites)
    if (process) world.fail('5: rolling', `${name} does not end`);
  checkSilent(world);
}

function checkSilent(world: InstancesWorld): void {
  for (const host of world.hosts) {
    if (!host.process?.isActive || host.process.isAstray || !world.isKnown(host)) continue;
    world.fail('2: silent', `${host.id} still posts, and nobody looks`);
  }
}
