import { leadingSite, leaveAll, pause, restartLater, traffic } from './instancesHappenings.js';
import type { InstancesWorld } from './instancesWorld.js';

/** Brings together what chance alone brings together in one world in thousands. */
export function bringTogether(world: InstancesWorld): void {
  const { plan, aside, hosts } = world;
  if (plan.isLate && aside.chance(0.1)) endSilencing(world);
  if (plan.isBalanced && aside.chance(0.03)) misleadPosts(world);
  const isSteady = !plan.isLate && !plan.isRough;
  const hasNewcomer = hosts.some(({ process }) => !process);
  if (isSteady && hasNewcomer && aside.chance(0.1)) startWithoutLeader(world);
}

/** How long the kernel of a machine may keep what a process had written. */
const unsentMs = 5000;

/** The leader ends while it silences the servers, and a viewer comes to the next one. */
function endSilencing(world: InstancesWorld): void {
  const { people, plan, random } = world;
  leaveAll(world);
  world.later(plan.timing.lingerMs + random.pick([60, 150, 300]), () => {
    const site = leadingSite(world);
    if (!site || world.isCalm) return;
    if (random.chance(0.3)) site.kill();
    else site.shutDown();
    world.whenEnded(site, () => restartLater(world, site));
    // Its kernel may still send what it had written.
    world.unsent = { host: random.pick(world.hosts), untilMs: world.nowMs + unsentMs };
    for (const ms of [500, 1500, 2200, 2600, 3000]) world.later(ms, () => people.come());
  });
}

/** The leader is killed, and a server that may be unknown asks before there is another leader. */
function startWithoutLeader(world: InstancesWorld): void {
  const site = leadingSite(world);
  const host = world.aside.pick(world.hosts.filter(({ process }) => !process));
  if (!site || !host) return;
  site.kill();
  restartLater(world, site);
  world.later(world.aside.between(300, 2500), () => {
    if (!host.process) host.start();
  });
}

/** Longer than a lease: another instance leads. */
const pausedMs = 4500;

/** The leader comes back as a follower, and an instance that has lost Redis passes posts on to it. */
function misleadPosts(world: InstancesWorld): void {
  const leader = leadingSite(world);
  const others = world.sites.filter((site) => site.isRunning && site !== leader);
  const misled = world.aside.pick(others);
  if (!leader || !misled || others.length < 2) return;
  const end = world.begin(`${misled.name} learns of no leader`);
  world.links.cut('redis', misled.name);
  pause(world, leader, 'stopped', pausedMs);
  for (const ms of [500, 1500, 2500, 3500, 4500])
    world.later(pausedMs + ms, () => traffic(world, 'open'));
  world.faultLater(pausedMs + 6000, () => {
    world.links.heal('redis', misled.name);
    end();
  });
}
