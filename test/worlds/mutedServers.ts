import type { World } from './world.js';

/** The callback path of a server is dead for a while: it answers, and none of its posts arrives. */
export function mute(world: World): void {
  const { further, hosts } = world;
  const host = further.pick(hosts.filter(({ isMuted }) => !isMuted));
  if (!host) return;
  world.countFault('posts lost');
  world.note(() => `no post of ${host.id} arrives from now on`);
  host.isMuted = true;
  host.disturb();
  world.later(further.between(5000, 150_000), () => unmute(world, host));
}

export function unmute(world: World, host: World['hosts'][number]): void {
  if (!host.isMuted) return;
  world.note(() => `posts of ${host.id} arrive again`);
  host.isMuted = false;
  host.disturb();
}
